// On a node: how many distinct values a broadcast's arrays hold. Without it PostgreSQL takes a
// function's rows for so alike that it will not hash them. PostgreSQL style.
#pragma once

namespace herd::planner {

// From _PG_init, through initialize_node_side.
void initialize_array_statistics();

}  // namespace herd::planner
