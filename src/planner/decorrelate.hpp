// Correlated aggregates without a round trip for each outer row: an inner query
//
//     (SELECT aggregates FROM ... WHERE inner = outer ...)
//
// over rows of other nodes becomes a join with the same query grouped by `inner`, over those values
// alone that the outer rows have. PostgreSQL style.
#pragma once

#include "planner/level_parts.hpp"

namespace herd::planner {

// Rewrites the conditions of the level that can be. Returns whether it did: then the level joins a
// broadcast with the outer rows to the grouped queries, and nothing else is left to merge in it.
bool decorrelate(QueryLevel& level);

}  // namespace herd::planner
