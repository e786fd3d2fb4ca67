// The guard over statements of functions and triggers that run on a node: there a table has only
// the node's rows, so a statement must be fixed by key to what the node owns. Else its answer would
// be partial, and nobody would notice. PostgreSQL style.
#pragma once

#include "catalog/herd_catalog.hpp"

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
}

namespace herd::planner {

// A query that ri_triggers.c made for a foreign key: whatever the foreign key concerns lies on one
// node, and each node cascades over its own rows.
bool is_foreign_key_query(const ::Query* query, const char* query_string);

// What has to be checked when the query runs, as a List of KeyCheck*. Looks at the query before the
// planner, which scribbles on it.
// Errors: kNestedOnNode for what can never run here.
::List* guard_query(const catalog::Catalog& herd, ::Query* query);

// Puts the checks into the plan: those keys, and the rows that its INSERTs add.
void guard_plan(const catalog::Catalog& herd, ::PlannedStmt* statement, const ::List* checks);

}  // namespace herd::planner
