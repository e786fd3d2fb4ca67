// Partial aggregates: the coordinator sends a plain aggregate query with a mark before it, and the
// node answers with the states of its aggregates instead of their results, in the form in which
// PostgreSQL's own parallel workers send them. The coordinator combines them with PostgreSQL's
// final Agg.
//
// Result columns have the types of the states (bytea for those of type internal), so read them by
// the portal's description: a prepared statement's still names the results' types. PostgreSQL
// style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
}

namespace herd::planner {

// What a statement that asks for states begins with.
constexpr const char kPartialMark[] = "/*herd partial*/";

bool asks_for_states(const char* query_string);

// Whether the states are what the plain query returns anyway (count, sum(integer), min, max).
// Errors: 0A000 for a query that is more than grouped columns and bare aggregates with a combine
// function: ORDER BY, HAVING, DISTINCT, GROUPING SETS ...
bool check_partial_query(const ::Query* query);

// Makes the plan of a checked query return states. Errors: 0A000 when its shape does not allow it.
void return_states(::PlannedStmt* statement);

}  // namespace herd::planner
