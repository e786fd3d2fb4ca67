// Whether a statement can't return more than a few rows, whatever the tables hold. Then a node's
// rows are taken as one result, which is cheaper than row by row.
//
// PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
}

namespace herd::planner {

// Says no where it would take more than a look to know.
bool returns_few_rows(const ::Query* query);

}  // namespace herd::planner
