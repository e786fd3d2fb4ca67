// How the rows of a broadcast are read: out of the arrays that nodes get. PostgreSQL keeps a WITH
// query's rows to the leader of parallel workers, and copies what a function returns before it
// reads it. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/pathnodes.h"
}

namespace herd::planner {

// For this server's half of a fragment, where parallel workers may take part. A relation that is no
// broadcast keeps its paths.
void add_broadcast_paths(::PlannerInfo* root, ::RelOptInfo* rel, const ::RangeTblEntry* rte);
// On a node: for unnest($1, $2, ...) in FROM.
void replace_unnest_paths(::PlannerInfo* root, ::RelOptInfo* rel, const ::RangeTblEntry* rte);

}  // namespace herd::planner
