// Cursors: plans that can say where the current row is, and scroll; and WHERE CURRENT OF, which
// asks them. PostgreSQL style.
#pragma once

#include "planner/statement_plan.hpp"

namespace herd::planner {

// Whether the statement is that of a cursor with a name, DECLAREd or of PL/pgSQL.
bool is_cursor(const PlanRequest& request);

// A cursor over distributed tables.
::PlannedStmt* plan_cursor(const catalog::Catalog& herd, const PlanRequest& request);

// For a cursor over several nodes: adds columns to the query, behind its own, that say where its
// rows are. Returns the tables, of executor::CursorTable*.
::List* add_row_columns(const catalog::Catalog& herd, ::Query* query);

// A cursor that scrolls needs its rows kept: the nodes' come once.
void make_scrollable(::PlannedStmt* statement, int cursor_options);

// Makes WHERE CURRENT OF in a statement that is about to become a SELECT over its changes a
// condition that only the cursor's row meets. Reference tables keep it: their cursors are
// PostgreSQL's own.
void find_current_row(::Query* query, const catalog::Table& target);

}  // namespace herd::planner
