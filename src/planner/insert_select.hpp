// INSERT ... SELECT in a form that the deparser prints right. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
}

namespace herd::planner {

// Whether an INSERT takes its rows from a query, rather than from VALUES.
bool inserts_from_query(const ::Query* query);

// A copy whose source delivers the columns of the INSERT in their order, defaults and conversions
// included: the deparser prints the source as it is.
::Query* insert_with_expressions_inside(const ::Query* query);

}  // namespace herd::planner
