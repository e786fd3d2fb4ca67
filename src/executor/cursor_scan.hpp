// HerdCursor: the CustomScan on top of a cursor's plan. It knows where the cursor's current row is,
// for UPDATE and DELETE ... WHERE CURRENT OF: rows of other nodes have no scan in the plan where
// PostgreSQL would look for them.
#pragma once

#include <optional>

#include "base/ids.hpp"

extern "C" {
#include "postgres.h"

#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
#include "storage/itemptr.h"
}

namespace herd::executor {

// A table whose rows the cursor's rows are made of. Columns of the plan below, from 1.
struct CursorTable {
    Oid relid;
    ::AttrNumber node;   // the number of the row's node; 0: the one that runs the whole statement
    ::AttrNumber table;  // the partition; 0: the table itself
    ::AttrNumber row;    // the ctid; as text when one node runs the whole statement
};

// Wraps a finished plan, of whose columns only the first ones are the cursor's. tables: of
// CursorTable*; locks: the statement has FOR UPDATE or its kin, and the tables are those that it
// names. PostgreSQL style.
void wrap_cursor(::PlannedStmt* statement, int columns, ::List* tables, bool locks);

struct CursorRow {
    NodeId node;
    Oid table;
    ::ItemPointerData row;
};

// Where the current row of a cursor is; nothing when the cursor's row has none of the table (an
// outer join). Errors, PostgreSQL's own: 34000 when there is no such cursor; 24000 when it can't be
// used for the table, or is on no row. PostgreSQL style.
std::optional<CursorRow> row_of_cursor(const char* cursor, Oid relid);

// From _PG_init.
void initialize_cursor_scan();

}  // namespace herd::executor
