// Paths of remote relations: the SQL that a fragment's nodes run, narrowed by what the planner
// knows: needed columns, conditions, order, limit, partial aggregates. PostgreSQL style.
#pragma once

namespace herd::planner {

// From _PG_init, through initialize_planner.
void initialize_remote_paths();

}  // namespace herd::planner
