// Conditions that follow from those that a query level has. PostgreSQL style.
#pragma once

#include "planner/level_parts.hpp"

namespace herd::planner {

// The conditions that the entries' rows have to meet, each on its own: those over nothing else, and
// what an OR over more says about them in each of its arms.
::List* own_conditions(const ::Query* query, ::Bitmapset* entries);

// The column that a condition says to be equal to this one, by equality of one type; nullptr: it
// says something else.
::Var* equal_column(::Node* condition, const ::Var* column);

// a.key = x AND b.key = x: adds a.key = b.key, by which nodes can join.
void add_key_equalities(const QueryLevel& level);

}  // namespace herd::planner
