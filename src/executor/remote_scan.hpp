// HerdRemote: the CustomScan that reads the nodes' part of a fragment. PostgreSQL style.
#pragma once

#include "executor/remote_plan.hpp"

extern "C" {
#include "executor/execdesc.h"
#include "nodes/extensible.h"
}

namespace herd::executor {

class RemoteRun;

// The scan may have one child plan with the same columns: rows of this server. The nodes are asked
// first, then the child's rows come, then the nodes'.
//
// For a CustomScan whose custom_private is to_list(plan) and custom_exprs expressions_of(plan).
const ::CustomScanMethods* remote_scan_methods();

// The run of a HerdRemote that is ready to begin, which this is or has under a projection. When it
// is packed, the scan's own rows are the child's alone. nullptr: there is none.
RemoteRun* run_of_scan(::PlanState* state);

// After ExecutorStart: a cursor shows what was there when it was opened, so its scans ask the nodes
// now. Those that wait for values of WITH queries could not do so when they began.
void start_scans_of_cursor(::QueryDesc* query);

// From _PG_init.
void initialize_remote_scan();

}  // namespace herd::executor
