// What a plan says about a statement whose changes are computed here, row by row, and carried out
// where the rows are. PostgreSQL style.
//
// The plan below delivers one *change* per affected row: where the row is, and the new values.
// Columns of a change are numbered from 1.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/extensible.h"
#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
}

namespace herd::executor {

// What is done with a row: MERGE has several, other statements one.
struct ModifyAction {
    ::CmdType command = CMD_UNKNOWN;
    ::List* columns = nullptr;  // of Integer: the table's columns that get values
    ::List* sources = nullptr;  // of Integer: the change's columns with those values
    int moved = 0;  // UPDATE: the action (an INSERT) for rows that are deleted and inserted again
    bool moves_all = false;  // not only those that get another owner
};

struct ModifyPlan {
    Oid relid = InvalidOid;
    int32 group_id = 0;       // 0: a reference table, every change everywhere
    Oid role = InvalidOid;    // whose rights apply, when not the user's (a view's owner)
    bool sets_tag = false;    // its rows count in the command's tag
    bool returns = false;     // somebody reads the changed rows
    bool only_once = false;   // a second change of one row is an error
    bool checked = false;     // row security is applied here, not where the rows are
    bool suppresses = false;  // BEFORE triggers may leave rows out
    ::AttrNumber action = 0;  // of the change: the number of its action; 0: always the first
    ::AttrNumber node = 0;    // of the change: where the row is; 0: it has none
    ::AttrNumber table = 0;   // ... the table or partition that holds it
    ::AttrNumber row = 0;     // ... its ctid
    ::AttrNumber key = 0;     // the distribution key
    Oid key_collation = InvalidOid;
    ::List* actions = nullptr;  // of ModifyAction*
    bool by_row = false;  // a reference table without key: its rows are found by all their values
    ::List* identity = nullptr;          // of Integer: a reference table's key columns ...
    ::List* identity_sources = nullptr;  // ... the change's columns with their old values
    ::List* results = nullptr;         // of Integer: columns of the changed row that are read above
    ::List* result_sources = nullptr;  // ... the change's columns that they are put into
};

// custom_private of a CustomScan, and back.
::List* to_list(const ModifyPlan& plan);
ModifyPlan modify_plan_from_list(const ::List* list);

const ::CustomScanMethods* modify_scan_methods();

// From _PG_init.
void initialize_modify_scan();

}  // namespace herd::executor
