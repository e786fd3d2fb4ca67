// Row security of INSERT, which each node applies to the rows that it gets, if it can. PostgreSQL
// style.
#pragma once

#include "planner/statement_plan.hpp"

namespace herd::planner {

// By the row's node; here when they read rows that it does not have: to rows as they are sent, or,
// where only the node knows what is stored, as they have been stored.
enum class PolicyPlace { kNodes, kHere, kAfterwards };

// Errors: kStatementNotCovered for such policies and rows that ON CONFLICT may keep out.
PolicyPlace insert_policy_place(const catalog::Catalog& herd, const ::Query* insert,
                                const catalog::Table& target);

// Whether views check rows for what only the node knows that stores them: generated columns, and
// what BEFORE triggers make of a row.
bool views_look_at_stored_row(const ::Query* insert, const catalog::Table& target);

}  // namespace herd::planner
