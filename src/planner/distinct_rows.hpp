// DISTINCT where the rows are: each server sends each of its rows once. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/pathnodes.h"
}

namespace herd::planner {

// SELECT DISTINCT: adds the path to `output`, the relation of the distinct rows.
void add_distinct_rows(::PlannerInfo* root, ::RelOptInfo* input, ::RelOptInfo* output);

// Aggregates that equal rows do not change (count(DISTINCT x), max(x)): adds the path over the
// distinct rows of the input to `output`, the relation of the query's groups.
void add_distinct_inputs(::PlannerInfo* root, ::RelOptInfo* input, ::RelOptInfo* output,
                         ::Node* having);

}  // namespace herd::planner
