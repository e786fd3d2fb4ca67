// Plans of statements whose changes are computed here, row by row: whatever reads rows of other
// nodes or calls functions that nodes can't, moves rows to another node, or goes through a view
// with checks. PostgreSQL style.
#pragma once

#include "planner/statement_plan.hpp"

namespace herd::planner {

// UPDATE, DELETE and MERGE of a distributed or reference table. Errors: see
// select_changed.
::PlannedStmt* plan_modify_rows(const catalog::Catalog& herd, const PlanRequest& request,
                                const catalog::Table& target);

}  // namespace herd::planner
