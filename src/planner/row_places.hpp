// The rule for ctid, a row's place on its node. PostgreSQL style.
#pragma once

#include "catalog/herd_catalog.hpp"

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
}

namespace herd::planner {

// A statement over several nodes may show ctids, and nothing else: two rows have the same one.
// Errors: kStatementNotCovered when a ctid of a distributed table is compared, sorted, grouped, or
// read by an outer query.
void refuse_compared_places(const catalog::Catalog& herd, ::Query* query);

}  // namespace herd::planner
