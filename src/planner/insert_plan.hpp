// INSERT into a distributed or reference table: the source is evaluated once, here; each row goes
// to the node that owns its key (or to all). PostgreSQL style.
#pragma once

#include "planner/statement_plan.hpp"

namespace herd::planner {

// Errors: kStatementNotCovered, kKeyUpdate for ON CONFLICT ... SET key.
::PlannedStmt* plan_insert(const catalog::Catalog& herd, const PlanRequest& request,
                           const catalog::Table& target);

}  // namespace herd::planner
