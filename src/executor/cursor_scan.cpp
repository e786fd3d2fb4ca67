#include "executor/cursor_scan.hpp"

#include "executor/statement_scan.hpp"

extern "C" {
#include "executor/execdesc.h"
#include "executor/executor.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"
}

namespace herd::executor {

namespace {

// A table, and its row that the cursor is on.
struct CursorPlace {
    CursorTable table;
    CursorRow row;
    bool valid;
};

struct CursorState {
    ::CustomScanState custom;
    CursorPlace* places;
    int count;
    bool locks;
};

CursorState* state_of(::CustomScanState* node) {
    return reinterpret_cast<CursorState*>(node);
}

::PlanState* child_of(::CustomScanState* node) {
    return static_cast<::PlanState*>(linitial(node->custom_ps));
}

// custom_private: whether the statement locks, then the tables.
void begin(::CustomScanState* node, ::EState* estate, int eflags) {
    auto* state = state_of(node);
    auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
    state->locks = linitial_int(static_cast<::List*>(linitial(scan->custom_private))) != 0;
    state->count = ::list_length(scan->custom_private) - 1;
    state->places = static_cast<CursorPlace*>(
        ::palloc0(sizeof(CursorPlace) * static_cast<Size>(state->count + 1)));
    for (int i = 0; i < state->count; ++i) {
        auto* numbers = static_cast<::List*>(::list_nth(scan->custom_private, i + 1));
        state->places[i].table = {static_cast<Oid>(linitial_int(numbers)),
                                  static_cast<::AttrNumber>(lsecond_int(numbers)),
                                  static_cast<::AttrNumber>(lthird_int(numbers)),
                                  static_cast<::AttrNumber>(lfourth_int(numbers))};
    }
    auto* child = static_cast<::Plan*>(linitial(scan->custom_plans));
    node->custom_ps = ::list_make1(::ExecInitNode(child, estate, eflags));
}

void remember(::CustomScanState* node, CursorPlace& place, ::TupleTableSlot* row) {
    const CursorTable& table = place.table;
    place.valid = !row->tts_isnull[table.row - 1];
    if (!place.valid) {
        return;
    }
    Datum value = row->tts_values[table.row - 1];
    if (table.node == 0) {
        value = DirectFunctionCall1(tidin, CStringGetDatum(TextDatumGetCString(value)));
    }
    place.row.row = *reinterpret_cast<::ItemPointer>(DatumGetPointer(value));
    place.row.table =
        table.table == 0 ? table.relid : DatumGetObjectId(row->tts_values[table.table - 1]);
    place.row.node = table.node == 0 ? node_of_statement(child_of(node))
                                     : NodeId{DatumGetInt32(row->tts_values[table.node - 1])};
}

::TupleTableSlot* execute(::CustomScanState* node) {
    auto* state = state_of(node);
    ::TupleTableSlot* slot = node->ss.ss_ScanTupleSlot;
    for (int i = 0; i < state->count; ++i) {
        state->places[i].valid = false;
    }
    ::TupleTableSlot* row = ::ExecProcNode(child_of(node));
    ::ExecClearTuple(slot);
    if (TupIsNull(row)) {
        return slot;
    }
    slot_getallattrs(row);
    for (int i = 0; i < slot->tts_tupleDescriptor->natts; ++i) {
        slot->tts_values[i] = row->tts_values[i];
        slot->tts_isnull[i] = row->tts_isnull[i];
    }
    ResetExprContext(node->ss.ps.ps_ExprContext);
    ::MemoryContext old = MemoryContextSwitchTo(node->ss.ps.ps_ExprContext->ecxt_per_tuple_memory);
    for (int i = 0; i < state->count; ++i) {
        remember(node, state->places[i], row);
    }
    MemoryContextSwitchTo(old);
    return ::ExecStoreVirtualTuple(slot);
}

void end(::CustomScanState* node) {
    ::ExecEndNode(child_of(node));
}

void rescan(::CustomScanState* node) {
    ::PlanState* child = child_of(node);
    if (node->ss.ps.chgParam != nullptr) {
        ::UpdateChangedParamSet(child, node->ss.ps.chgParam);
    }
    if (child->chgParam == nullptr) {
        ::ExecReScan(child);
    }
}

constexpr ::CustomExecMethods kExecMethods = [] {
    ::CustomExecMethods methods{};
    methods.CustomName = "HerdCursor";
    methods.BeginCustomScan = begin;
    methods.ExecCustomScan = execute;
    methods.EndCustomScan = end;
    methods.ReScanCustomScan = rescan;
    return methods;
}();

::Node* create_state(::CustomScan*) {
    auto* state = reinterpret_cast<CursorState*>(newNode(sizeof(CursorState), T_CustomScanState));
    state->custom.methods = &kExecMethods;
    return reinterpret_cast<::Node*>(state);
}

constexpr ::CustomScanMethods kScanMethods = {"HerdCursor", create_state};

// The query of an open cursor.
::QueryDesc* query_of(const char* cursor) {
    ::Portal portal = ::GetPortalByName(cursor);
    if (!PortalIsValid(portal)) {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_CURSOR),
                        errmsg("cursor \"%s\" does not exist", cursor)));
    }
    if (portal->strategy != PORTAL_ONE_SELECT) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_CURSOR_STATE),
                        errmsg("cursor \"%s\" is not a SELECT query", cursor)));
    }
    if (portal->queryDesc == nullptr || portal->queryDesc->estate == nullptr) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_CURSOR_STATE),
                        errmsg("cursor \"%s\" is held from a previous transaction", cursor)));
    }
    return portal->queryDesc;
}

[[noreturn]] void refuse_cursor(const char* cursor, Oid relid, bool locks) {
    const char* table = ::get_rel_name(relid);
    if (locks) {
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_CURSOR_STATE),
                 errmsg("cursor \"%s\" does not have a FOR UPDATE/SHARE reference to table \"%s\"",
                        cursor, table)));
    }
    ereport(ERROR, (errcode(ERRCODE_INVALID_CURSOR_STATE),
                    errmsg("cursor \"%s\" is not a simply updatable scan of table \"%s\"", cursor,
                           table)));
    pg_unreachable();
}

const CursorPlace* find_place(const CursorState* state, const char* cursor, Oid relid) {
    const CursorPlace* found = nullptr;
    for (int i = 0; i < state->count; ++i) {
        if (state->places[i].table.relid != relid) {
            continue;
        }
        if (found != nullptr) {
            ereport(ERROR, (errcode(ERRCODE_INVALID_CURSOR_STATE),
                            errmsg("cursor \"%s\" has multiple FOR UPDATE/SHARE references to "
                                   "table \"%s\"",
                                   cursor, ::get_rel_name(relid))));
        }
        found = &state->places[i];
    }
    if (found == nullptr) {
        refuse_cursor(cursor, relid, state->locks);
    }
    return found;
}

}  // namespace

std::optional<CursorRow> row_of_cursor(const char* cursor, Oid relid) {
    ::QueryDesc* query = query_of(cursor);
    auto* node = reinterpret_cast<::CustomScanState*>(query->planstate);
    if (!IsA(node, CustomScanState) || node->methods != &kExecMethods) {
        refuse_cursor(cursor, relid, query->estate->es_rowmarks != nullptr);
    }
    const CursorPlace* place = find_place(state_of(node), cursor, relid);
    ::Portal portal = ::GetPortalByName(cursor);
    if (portal->atStart || portal->atEnd) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_CURSOR_STATE),
                        errmsg("cursor \"%s\" is not positioned on a row", cursor)));
    }
    return place->valid ? std::optional(place->row) : std::nullopt;
}

void wrap_cursor(::PlannedStmt* statement, int columns, ::List* tables, bool locks) {
    ::Plan* child = statement->planTree;
    auto* scan = makeNode(CustomScan);
    for (int i = 0; i < columns; ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(child->targetlist, i));
        auto* expression = reinterpret_cast<::Node*>(entry->expr);
        ::TargetEntry* inner = ::flatCopyTargetEntry(entry);
        inner->expr = reinterpret_cast<::Expr*>(::makeNullConst(
            ::exprType(expression), ::exprTypmod(expression), ::exprCollation(expression)));
        scan->custom_scan_tlist = ::lappend(scan->custom_scan_tlist, inner);
        ::TargetEntry* outer = ::flatCopyTargetEntry(entry);
        outer->expr = reinterpret_cast<::Expr*>(
            ::makeVar(INDEX_VAR, entry->resno, ::exprType(expression), ::exprTypmod(expression),
                      ::exprCollation(expression), 0));
        scan->scan.plan.targetlist = ::lappend(scan->scan.plan.targetlist, outer);
    }
    scan->scan.plan.startup_cost = child->startup_cost;
    scan->scan.plan.total_cost = child->total_cost;
    scan->scan.plan.plan_rows = child->plan_rows;
    scan->scan.plan.plan_width = child->plan_width;
    scan->custom_plans = ::list_make1(child);
    scan->custom_private = ::list_make1(::list_make1_int(locks ? 1 : 0));
    for (int i = 0; i < ::list_length(tables); ++i) {
        auto* table = static_cast<CursorTable*>(::list_nth(tables, i));
        scan->custom_private = ::lappend(
            scan->custom_private, ::list_make4_int(static_cast<int>(table->relid), table->node,
                                                   table->table, table->row));
    }
    scan->flags = ::ExecSupportsBackwardScan(child) ? CUSTOMPATH_SUPPORT_BACKWARD_SCAN : 0;
    scan->methods = &kScanMethods;
    statement->planTree = &scan->scan.plan;
}

void initialize_cursor_scan() {
    ::RegisterCustomScanMethods(&kScanMethods);
}

}  // namespace herd::executor
