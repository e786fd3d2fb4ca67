// Planning in internal sessions: on a node, and wherever else another server of the herd has
// connected to. The client's own statement is the coordinator's, to be planned as any other here;
// what its functions and triggers run is guarded. PostgreSQL style: errors pass through, so it may
// not stand within pg::enter.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/params.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "optimizer/planner.h"
}

namespace herd::planner {

// plain: the planner that would run without the herd.
::PlannedStmt* plan_on_node(::Query* parse, const char* query_string, int cursor_options,
                            ::ParamListInfo params, ::planner_hook_type plain);

// From _PG_init.
void initialize_node_side();

}  // namespace herd::planner
