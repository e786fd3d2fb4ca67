// Groups that no two servers share: those by the distribution key. Each server aggregates its own
// whole, with HAVING, and sends no more groups than LIMIT leaves. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/pathnodes.h"
}

namespace herd::planner {

// Adds the path to `output`, the relation of the query's groups, where there is one.
void add_whole_groups(::PlannerInfo* root, ::RelOptInfo* input, ::RelOptInfo* output,
                      ::Node* having);

}  // namespace herd::planner
