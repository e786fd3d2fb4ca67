// By which columns every server finds the same row of a reference table. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/bitmapset.h"
#include "utils/relcache.h"
}

namespace herd::planner {

// Numbers of columns, from FirstLowInvalidHeapAttributeNumber, as PostgreSQL keeps them: those of
// the primary key, else of a unique index without NULLs. Else sets by_row: all columns that are
// stored as they were given, and rows may be alike in them.
::Bitmapset* row_identity(::Relation relation, bool* by_row);

}  // namespace herd::planner
