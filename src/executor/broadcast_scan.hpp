// HerdBroadcast: the custom scan that reads a broadcast's rows out of the arrays that the nodes
// get, so that parallel workers can: PostgreSQL keeps the rows of a WITH query to the leader.
// PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/extensible.h"
}

namespace herd::executor {

// For a CustomScan whose custom_exprs are the arrays, one for each column of custom_scan_tlist, and
// whose custom_private is the broadcast's name, for EXPLAIN. The arrays are equally long, or all
// null: no rows. A parallel-aware scan divides the rows between the processes.
const ::CustomScanMethods* broadcast_scan_methods();

// From _PG_init.
void initialize_broadcast_scan();

}  // namespace herd::executor
