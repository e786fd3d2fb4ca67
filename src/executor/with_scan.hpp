// HerdWith: the custom scan on top of a statement whose WITH changes rows on several nodes.
//
// The changing parts, and what they read, run first, each as a statement of its own in the snapshot
// and command of the whole; their rows are kept in named tuplestores, which the statements after
// them read as PostgreSQL's transition tables are read. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "executor/execdesc.h"
#include "nodes/plannodes.h"
}

namespace herd::executor {

// One part: its plan, and the name that its rows have in the others.
struct WithPart {
    ::PlannedStmt* statement;
    // Of the named tuplestore; nullptr: it returns no rows. That of the part before: adds to its
    // rows.
    const char* name;
    const char* label;  // for EXPLAIN
};

// A name that no other plan of this backend uses.
char* new_tuplestore_name();

// Puts a HerdWith on top of a finished plan. parts: of WithPart*, in the order they run. counted:
// whether their row counts together are the statement's.
void wrap_with(::PlannedStmt* statement, ::List* parts, bool counted);

// From the ExecutorStart hook, before the statement's plan is initialised.
void prepare_with(::QueryDesc* query);

// From _PG_init.
void initialize_with_scan();

}  // namespace herd::executor
