// How this server's half of a fragment reads a broadcast: out of the arrays that the nodes get,
// which parallel workers can do, other than scan a WITH query. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/pathnodes.h"
}

namespace herd::planner {

// For a relation that is no broadcast, nothing changes.
void add_broadcast_paths(::PlannerInfo* root, ::RelOptInfo* rel, const ::RangeTblEntry* rte);

}  // namespace herd::planner
