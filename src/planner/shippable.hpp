// What nodes can compute by themselves.
//
// Functions of users, and built-in ones that look at their server, may give another answer on a
// node, silently: they stay on this server unless declared with herd.set_pushable(). What deparse()
// turns into parameters is computed here anyway and is no obstacle.
//
// PostgreSQL style: palloc, raises PostgreSQL errors.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/nodes.h"
#include "nodes/parsenodes.h"
}

namespace herd::planner {

// Why the expression or query can't be computed by a node alone, as a noun phrase for a hint
// ("function public.f(integer)"), or nullptr when it can. Relations are the caller's business.
// Views are looked into as they are in the tree. `writes`: in a statement that modifies rows users'
// functions are accepted (nodes guard nested statements there) unless they are volatile.
const char* why_not_shippable(::Node* expression_or_query, bool writes);

// Whether nodes compute the same from what the text does not carry, and only they will see: a
// policy's condition. Nothing there can be turned into a parameter: no clock, no function of a user
// without columns. Views that deparse() prints by their names are judged so by the functions above.
bool is_shippable_unseen(::Node* node);

inline bool is_shippable(::Node* node, bool writes = false) {
    return why_not_shippable(node, writes) == nullptr;
}

// Whether a node that runs the query twice does no more than once: it neither changes nor locks
// rows, nor calls anything volatile.
bool is_repeatable(const ::Query* query);

}  // namespace herd::planner
