// Query trees as SQL text for nodes. The only door to pg_get_querydef, whose output for the trees
// that planner_hook sees is not always SQL, or not always the same statement.
//
// The text names users' objects in full and relies on pg_catalog being searched first. It does not
// carry: conditions of row level security and view check options, which the executing server or the
// caller must apply; default values of INSERT, which the caller moves into the tree.
//
// PostgreSQL style: palloc, raises PostgreSQL errors.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
}

namespace herd::planner {

// SQL text for a node and what its parameters are.
struct RemoteText {
    char* text;  // palloc'd in the current context
    // Of Expr*: $1 is the first. Without columns, planned (ready for ExecInitExpr), to be evaluated
    // on this server at each execution. Parameters with a type that users made are cast in the
    // text, so that the node needs no type numbers; the others need theirs (exprType).
    ::List* parameters;
};

// The view that deparse() prints in the place of the subquery that the rewriter has made of it, or
// InvalidOid: nodes expand it themselves, with the rights of its owner.
Oid printed_view(const ::RangeTblEntry* rte);

// Prints a query tree as planner_hook sees it, or one built from such parts; the tree is not
// modified. `prefix` goes before the text and may be "".
RemoteText deparse(const ::Query* query, const char* prefix);

}  // namespace herd::planner
