// planner_hook: sorts each statement into the ways of running it, cheapest test first.
#pragma once

namespace herd::planner {

// From _PG_init.
void initialize_planner();

}  // namespace herd::planner
