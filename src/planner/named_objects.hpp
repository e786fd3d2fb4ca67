// Plans that are kept hold text for nodes, in which objects stand by their names: what gets another
// name there makes the plan a stale one, where one PostgreSQL's would go on by number. Relations,
// functions, operators and schemas do so in PostgreSQL's own plans as well. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
}

namespace herd::planner {

// What a text of the query may name besides those, for PlannedStmt.invalItems.
::List* named_objects(::Query* query);

// From _PG_init.
void initialize_named_objects();

}  // namespace herd::planner
