// Columns of subqueries that nobody reads. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
}

namespace herd::planner {

// Makes nulls, in place and at every level, of the columns of subqueries in FROM that nobody reads
// and that hold subqueries of their own: what PostgreSQL would leave out is not fetched from nodes,
// and asks for no rights.
void drop_unused_outputs(::Query* query);

}  // namespace herd::planner
