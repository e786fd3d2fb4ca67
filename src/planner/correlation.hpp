// Inner queries that read the level around them by equalities alone: (SELECT aggregates ...) and
// EXISTS (SELECT ...), whose WHERE has inner = outer. PostgreSQL style.
#pragma once

#include "planner/level_parts.hpp"

namespace herd::planner {

// inner = outer, in a condition of the inner query
struct Correlation {
    ::OpExpr* condition;
    bool outer_first;
};

::Node* outer_side(const Correlation& one);
// The correlations of an inner query over rows of other nodes, taken out of a copy of it: of
// Correlation. NIL when it can't be grouped by them. The copy has one output, the aggregates' value
// or true.
::List* take_correlations(const Rewrite& rewrite, const ::SubLink* sublink, ::Query** inner);
// What the copy's output is when no row is there.
::Node* value_of_nothing(::Node* value);

}  // namespace herd::planner
