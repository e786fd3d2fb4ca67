// The rows that an INSERT returns to this server, and RETURNING as a query over them.
// PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"
}

namespace herd::planner {

// The rows as they come back: the table's columns, then the system columns that RETURNING reads.
struct Returned {
    int target;
    int level;
    Oid relid;
    ::List* columns;  // of Expr, over the target
    ::Expr* row;      // the whole row, over the columns
};

// All columns of an INSERT's target, and the row that they make.
Returned all_columns(const ::Query* insert);
// RETURNING over the rows that come back; adds the columns that it needs.
::List* over_returned(Returned& returned, ::List* returning);
// The columns as a target list.
::List* target_list_of(const Returned& returned);
// SELECT <returning> FROM the named tuplestore with those columns WHERE <checks>.
::Query* select_returned(const Returned& returned, char* name, ::List* returning,
                         ::List* checks = NIL);

// Whether an expression is the target's tableoid as regclass: that crosses as a name.
bool is_table_name(const ::Expr* expression);

}  // namespace herd::planner
