// Statistics of remote relations' columns, for the planner: those of the tables' columns that they
// stand for, which ANALYZE has taken of the whole herd. PostgreSQL style.
#pragma once

namespace herd::planner {

// From _PG_init, through initialize_remote_paths.
void initialize_remote_statistics();

}  // namespace herd::planner
