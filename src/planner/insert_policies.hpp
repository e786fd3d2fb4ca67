// Row security of INSERT, which each node applies to the rows that it gets, if it can. PostgreSQL
// style.
#pragma once

#include "planner/statement_plan.hpp"

namespace herd::planner {

enum class PolicyPlace { kNodes, kHere };

// Where they are applied: here when they read rows that the row's node does not have.
// Errors: kStatementNotCovered when that is so and what they look at is not known here.
PolicyPlace insert_policy_place(const catalog::Catalog& herd, const ::Query* insert,
                                const catalog::Table& target);

}  // namespace herd::planner
