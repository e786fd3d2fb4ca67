// On a node: how many distinct values a broadcast's arrays hold. Without it PostgreSQL takes a
// function's rows for so alike that it will not hash them. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "access/htup.h"
}

namespace herd::planner {

// A row of pg_statistic that knows nothing else.
::HeapTuple statistics_tuple(float4 distinct);

// From _PG_init, through initialize_node_side.
void initialize_array_statistics();

}  // namespace herd::planner
