// planner_hook: sorts each statement into the ways of running it, cheapest test first.
#pragma once

#include "planner/statement_plan.hpp"

namespace herd::planner {

// The plan of a statement by whichever way fits, after planner_hook's own preparations. For parts
// of a statement that are planned by themselves. PostgreSQL style.
::PlannedStmt* plan_by_any_way(const catalog::Catalog& herd, const PlanRequest& request);

// From _PG_init.
void initialize_planner();

}  // namespace herd::planner
