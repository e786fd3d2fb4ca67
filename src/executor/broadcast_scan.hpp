// HerdBroadcast: the custom scan that reads a broadcast's rows out of the arrays that nodes get, as
// unnest does, but in one pass and in parallel workers, too. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/extensible.h"
}

namespace herd::executor {

// For a CustomScan whose custom_exprs are the arrays, one for each column of custom_scan_tlist, and
// whose custom_private is the broadcast's name, for EXPLAIN. Shorter arrays end in nulls. A
// parallel-aware scan divides the rows between the processes.
const ::CustomScanMethods* broadcast_scan_methods();

// From _PG_init.
void initialize_broadcast_scan();

}  // namespace herd::executor
