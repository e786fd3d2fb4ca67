// Which functions give the same result on every node, and which may run statements.
//
// PostgreSQL style: raises PostgreSQL errors, owns nothing.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
}

namespace herd::planner {

// Whether a node may call the function by itself. Aggregates are judged by their parts. `writes`:
// in a statement that modifies rows nodes guard nested statements, so users' functions are accepted
// there unless they are volatile.
bool is_shippable_function(Oid function, bool writes);

// Whether a function of a procedural language, or a domain's constraint, may run statements inside
// this one. A parallel worker has no links to nodes and does not guard what an internal session
// runs.
bool may_run_statements(const ::Query* query);

}  // namespace herd::planner
