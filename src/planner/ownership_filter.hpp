// Leaves rows that this server holds, but another node owns, out of what a plan reads
// (herd.ownership_filter): arriving rows of a move, and those that it has left behind.
//
// The filter stands in finished plans, in each scan of a distributed table, before the statement's
// own conditions: below all joins, aggregates, locks and changes, whatever way the planner took,
// with the choices that it makes without the filter. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/params.h"
#include "nodes/plannodes.h"
#include "optimizer/planner.h"
}

namespace herd::planner {

// What `plain` makes of the query, with the filter where it is needed.
::PlannedStmt* plan_owned_rows(::Query* query, const char* text, int cursor_options,
                               ::ParamListInfo parameters, ::planner_hook_type plain);

// Plans are made over every row until it is called with what it returns.
bool suspend_ownership_filter(bool suspend);

// From _PG_init.
void initialize_ownership_filter();

}  // namespace herd::planner
