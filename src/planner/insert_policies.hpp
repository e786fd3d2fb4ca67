// Row security of INSERT, which each node applies to the rows that it gets. PostgreSQL style.
#pragma once

#include "planner/statement_plan.hpp"

namespace herd::planner {

// Errors: kStatementNotCovered for policies that read rows which the row's node does not have.
void check_insert_policies(const catalog::Catalog& herd, const ::Query* insert,
                           const catalog::Table& target);

}  // namespace herd::planner
