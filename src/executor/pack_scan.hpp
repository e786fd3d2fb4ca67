// Rows that a node divides by their owners (routing/row_packing.hpp): instead of each row, the
// coordinator gets blocks of them, for one node each, in the format that COPY takes there. Columns
// (owner int, rows bytea, count int); read them by the portal's description. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "access/tupdesc.h"
#include "nodes/plannodes.h"
}

namespace herd::executor {

// The description of a block.
::TupleDesc block_description();

// If the text has the mark: makes the plan of its query return blocks. Only for texts that come
// from the coordinator itself.
void pack_rows(::PlannedStmt* statement, const char* text);

// From _PG_init.
void initialize_pack_scan();

}  // namespace herd::executor
