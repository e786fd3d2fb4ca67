// Lets the nodes and this server work at the same time: where a plan appends their rows to those
// from here, the nodes are asked first, then the rows here are read, then theirs. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/plannodes.h"
}

namespace herd::planner {

// Changes a finished plan: an Append with one remote scan becomes that scan, with the rest of the
// Append as its child.
void run_side_by_side(::PlannedStmt* statement);

}  // namespace herd::planner
