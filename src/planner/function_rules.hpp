// Which functions give the same result on every node.
//
// PostgreSQL style: raises PostgreSQL errors, owns nothing.
#pragma once

extern "C" {
#include "postgres.h"
}

namespace herd::planner {

// Whether a node may call the function by itself. Aggregates are judged by their parts. `writes`:
// in a statement that modifies rows nodes guard nested statements, so users' functions are accepted
// there unless they are volatile.
bool is_shippable_function(Oid function, bool writes);

}  // namespace herd::planner
