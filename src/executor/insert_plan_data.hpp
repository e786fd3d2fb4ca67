// What a plan says about an INSERT whose rows go to several nodes. PostgreSQL style.
#pragma once

#include <cstdint>

extern "C" {
#include "postgres.h"

#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
}

namespace herd::executor {

struct InsertPlan {
    char* head = nullptr;   // "INSERT INTO public.t AS x "
    char* tail = nullptr;   // " ON CONFLICT ... RETURNING ...", or ""
    char* again = nullptr;  // DO UPDATE: the tail when there are several batches; else nullptr
    char* copy = nullptr;   // "COPY public.t (...) FROM STDIN ...", if that does the same
    char* fields =
        nullptr;  // the source divides its rows (routing/row_packing.hpp): text_of_fields
    std::int64_t epoch = 0;  // ... of the shard map that was known then
    char* table = nullptr;   // for EXPLAIN and messages
    int32 group_id = 0;      // 0: a reference table, every row everywhere
    ::AttrNumber key = 0;
    Oid key_type = InvalidOid;
    Oid key_collation = InvalidOid;
    Oid role = InvalidOid;  // whose rights the nodes apply, when not the user's
    int plan_id = 0;        // new_plan_id: of the text for one row, the next with `again`, and the
                            // next of the source that divides its rows
    bool sets_tag = false;
    bool binary = false;     // RETURNING in binary
    std::int64_t keeps = 0;  // not 0: keeps rows in the way under this number
    Oid relid = InvalidOid;
    bool checked = false;            // row security is applied here, not by the nodes
    bool several = false;            // other parts of the statement: one snapshot for all
    ::List* columns = nullptr;       // of Integer: attribute numbers that are sent
    ::List* column_names = nullptr;  // of String, quoted
    ::List* casts = nullptr;         // of String: "::s.t" for types that are not built in, else ""
    ::List* types = nullptr;         // of Oid, as an integer list
};

// custom_private of a CustomScan, and back.
::List* to_list(const InsertPlan& plan);
InsertPlan insert_plan_from(const ::List* list);

// Puts a HerdInsert on top of a finished INSERT plan and a HerdInsertRows under its ModifyTable.
// parameters: of the tail's own $1...; checks: its WithCheckOptions, of which the rows are held to
// those of views here, and if plan.checked to those of row security.
void wrap_insert(::PlannedStmt* statement, const InsertPlan& plan, ::List* parameters,
                 ::List* checks);

// From _PG_init.
void initialize_insert_scan();

}  // namespace herd::executor
