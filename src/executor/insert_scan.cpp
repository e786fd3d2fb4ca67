// HerdInsert and HerdInsertRows, the two custom scans around an INSERT's ModifyTable:
//
//   HerdInsert             adds the nodes' counts and RETURNING rows
//     ModifyTable          inserts this server's rows, as always
//       HerdInsertRows     lets those pass, and sends the others to their nodes
//         the source
#include "executor/explain.hpp"
#include "executor/insert_plan_data.hpp"
#include "executor/kept_conflicts.hpp"
#include "executor/packed_source.hpp"
#include "executor/pass_through.hpp"
#include "executor/remote_scan.hpp"

extern "C" {
#include "commands/explain.h"
#include "executor/executor.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/planmain.h"
#include "utils/lsyscache.h"
}

namespace herd::executor {

namespace {

struct RowsState {
    ::CustomScanState custom;
    InsertRouter* router;  // made by the HerdInsert above
    ::List* checks;        // of RowCheck
    PackedSource* packed;  // the source's nodes divide their rows; nullptr: they don't
    bool source_done;
    bool done;
};

struct RowCheck {
    ::ExprState* condition;
    const char* name;   // the view, or the policy: "" if there is not one to name
    const char* table;  // row security's; nullptr: a view's
};

struct InsertState {
    ::CustomScanState custom;
    RowsState* rows;
    InsertRouter* router;
    InsertPlan plan;
    ::TupleTableSlot* returned;
    std::uint64_t conflicts;  // of begin_conflicts; 0: keeps none
    bool begun;
    bool local_done;
    bool counted;
};

// --- HerdInsertRows ---

RowsState* rows_of(::CustomScanState* node) {
    return reinterpret_cast<RowsState*>(node);
}

void begin_rows(::CustomScanState* node, ::EState* estate, int eflags) {
    auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
    auto* child = static_cast<::Plan*>(linitial(scan->custom_plans));
    node->custom_ps = ::list_make1(::ExecInitNode(child, estate, eflags));
    auto* checks = static_cast<::List*>(linitial(scan->custom_private));
    auto* names = static_cast<::List*>(lsecond(scan->custom_private));
    auto* tables = static_cast<::List*>(lthird(scan->custom_private));
    for (int i = 0; i < ::list_length(checks); ++i) {
        auto* check = static_cast<RowCheck*>(::palloc(sizeof(RowCheck)));
        check->condition =
            ::ExecInitQual(static_cast<::List*>(::list_nth(checks, i)), &node->ss.ps);
        check->name = strVal(::list_nth(names, i));
        const char* table = strVal(::list_nth(tables, i));
        check->table = *table == '\0' ? nullptr : table;
        rows_of(node)->checks = ::lappend(rows_of(node)->checks, check);
    }
}

[[noreturn]] void refuse_row(const RowCheck& check) {
    if (check.table == nullptr) {
        ereport(ERROR, (errcode(ERRCODE_WITH_CHECK_OPTION_VIOLATION),
                        errmsg("new row violates check option for view \"%s\"", check.name)));
    }
    if (*check.name == '\0') {
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("new row violates row-level security policy for table \"%s\"",
                               check.table)));
    }
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("new row violates row-level security policy \"%s\" for table \"%s\"",
                           check.name, check.table)));
}

// What the node could not know of, a view's check, or can't compute, a policy's: on the row as it
// is sent.
void check_row(::CustomScanState* node, ::TupleTableSlot* row) {
    RowsState* state = rows_of(node);
    ::ExprContext* context = node->ss.ps.ps_ExprContext;
    for (int i = 0; i < ::list_length(state->checks); ++i) {
        context->ecxt_scantuple = row;
        const auto* check = static_cast<const RowCheck*>(::list_nth(state->checks, i));
        if (check->condition != nullptr && !::ExecQual(check->condition, context)) {
            refuse_row(*check);
        }
    }
}

// The next row that the source delivers one by one; nullptr after the last.
::TupleTableSlot* next_source_row(::CustomScanState* node) {
    auto* child = static_cast<::PlanState*>(linitial(node->custom_ps));
    ::TupleTableSlot* row = pg::call([&] {
        ::ResetExprContext(node->ss.ps.ps_ExprContext);
        ::TupleTableSlot* found = ::ExecProcNode(child);
        if (!TupIsNull(found)) {
            slot_getallattrs(found);
            check_row(node, found);
        }
        return found;
    });
    return TupIsNull(row) ? nullptr : row;
}

// The next row for this server, or nullptr after the last; the others are on their way to their
// nodes.
::TupleTableSlot* next_local_row(::CustomScanState* node) {
    RowsState* state = rows_of(node);
    while (!state->source_done) {
        ::TupleTableSlot* row = next_source_row(node);
        if (row == nullptr) {
            state->source_done = true;
        } else if (state->router->take(row)) {
            return row;
        }
    }
    if (state->done) {
        return nullptr;
    }
    ::TupleTableSlot* row =
        state->packed == nullptr ? nullptr : state->packed->next_row_here(*state->router);
    if (row == nullptr) {
        state->done = true;
        state->router->finish();
    }
    return row;
}

::TupleTableSlot* execute_rows(::CustomScanState* node) {
    ::TupleTableSlot* row = pg::enter("HerdInsertRows", [&] { return next_local_row(node); });
    ::TupleTableSlot* slot = node->ss.ss_ScanTupleSlot;
    ::ExecClearTuple(slot);
    if (row == nullptr) {
        return slot;
    }
    for (int i = 0; i < slot->tts_tupleDescriptor->natts; ++i) {
        slot->tts_values[i] = row->tts_values[i];
        slot->tts_isnull[i] = row->tts_isnull[i];
    }
    ::ExecStoreVirtualTuple(slot);
    if (node->ss.ps.ps_ProjInfo == nullptr) {
        return slot;
    }
    node->ss.ps.ps_ExprContext->ecxt_scantuple = slot;
    return ::ExecProject(node->ss.ps.ps_ProjInfo);
}

void end_rows(::CustomScanState* node) {
    ::ExecEndNode(static_cast<::PlanState*>(linitial(node->custom_ps)));
}

void rescan_rows(::CustomScanState*) {
    elog(ERROR, "an INSERT can't be run again");
}

constexpr ::CustomExecMethods kRowsExecMethods = [] {
    ::CustomExecMethods methods{};
    methods.CustomName = "HerdInsertRows";
    methods.BeginCustomScan = begin_rows;
    methods.ExecCustomScan = execute_rows;
    methods.EndCustomScan = end_rows;
    methods.ReScanCustomScan = rescan_rows;
    return methods;
}();

::Node* create_rows_state(::CustomScan*) {
    auto* state = reinterpret_cast<RowsState*>(newNode(sizeof(RowsState), T_CustomScanState));
    state->custom.methods = &kRowsExecMethods;
    return reinterpret_cast<::Node*>(state);
}

constexpr ::CustomScanMethods kRowsMethods = {"HerdInsertRows", create_rows_state};

// --- HerdInsert ---

InsertState* insert_of(::CustomScanState* node) {
    return reinterpret_cast<InsertState*>(node);
}

void evaluate_tail(::CustomScanState* node, InsertRouter& router) {
    auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
    for (int i = 0; i < ::list_length(scan->custom_exprs); ++i) {
        bool isnull = false;
        auto* expression = static_cast<::Expr*>(::list_nth(scan->custom_exprs, i));
        Datum value = pg::call([&] {
            ::ExprState* compiled = ::ExecInitExpr(expression, &node->ss.ps);
            return ::ExecEvalExpr(compiled, node->ss.ps.ps_ExprContext, &isnull);
        });
        router.tail_parameters().add(::exprType(reinterpret_cast<::Node*>(expression)), value,
                                     isnull);
    }
}

// The nodes divide the rows where the plan says that they can, and rows may go as bytes.
void let_nodes_divide(RowsState* rows, const InsertRouter& router, const InsertPlan& plan) {
    auto* source = static_cast<::PlanState*>(linitial(rows->custom.custom_ps));
    RemoteRun* run =
        plan.fields == nullptr || !router.takes_bytes() ? nullptr : run_of_scan(source);
    if (run != nullptr) {
        run->pack(router.pack_mark(), router.packed_plan_id());
        rows->packed =
            pg::make_in<PackedSource>(CurrentMemoryContext, *run, plan,
                                      rows->custom.ss.ss_ScanTupleSlot->tts_tupleDescriptor);
    }
}

void begin_insert_body(::CustomScanState* node, ::EState* estate, int eflags) {
    InsertState* state = insert_of(node);
    auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
    pg::call([&] {
        state->plan = insert_plan_from(scan->custom_private);
        auto* child = static_cast<::Plan*>(linitial(scan->custom_plans));
        node->custom_ps = ::list_make1(::ExecInitNode(child, estate, eflags));
        auto* modify = static_cast<::PlanState*>(linitial(node->custom_ps));
        state->rows = rows_of(reinterpret_cast<::CustomScanState*>(outerPlanState(modify)));
    });
    if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) != 0) {
        return;
    }
    state->router = pg::make_in<InsertRouter>(estate->es_query_cxt, state->plan,
                                              node->ss.ss_ScanTupleSlot->tts_tupleDescriptor);
    state->rows->router = state->router;
    let_nodes_divide(state->rows, *state->router, state->plan);
    evaluate_tail(node, *state->router);
}

void begin_insert(::CustomScanState* node, ::EState* estate, int eflags) {
    pg::enter("HerdInsert", [&] { begin_insert_body(node, estate, eflags); });
}

void before_first_row(::CustomScanState* node) {
    InsertState* state = insert_of(node);
    state->begun = true;
    state->router->begin(statement_number(node->ss.ps.state));
    if (state->plan.keeps != 0) {
        if (state->plan.group_id != 0) {
            pg::call([&] { lock_group_writes(state->plan.group_id); });
        }
        state->conflicts = begin_conflicts(state->plan.keeps);
    }
}

::TupleTableSlot* execute_insert(::CustomScanState* node) {
    InsertState* state = insert_of(node);
    ::TupleTableSlot* slot = node->ss.ss_ScanTupleSlot;
    if (!state->begun) {
        pg::enter("HerdInsert", [&] { before_first_row(node); });
    }
    if (!state->local_done) {
        ::TupleTableSlot* row =
            ::ExecProcNode(static_cast<::PlanState*>(linitial(node->custom_ps)));
        if (!TupIsNull(row)) {
            return row;
        }
        state->local_done = true;
    }
    if (!state->counted) {
        state->counted = true;
        if (state->plan.sets_tag && state->plan.group_id != 0) {
            node->ss.ps.state->es_processed += state->router->affected();
        }
    }
    if (state->returned == nullptr) {
        state->returned =
            ::MakeSingleTupleTableSlot(slot->tts_tupleDescriptor, &TTSOpsMinimalTuple);
    }
    bool found =
        pg::enter("HerdInsert", [&] { return state->router->next_returned(state->returned); });
    return found ? state->returned : ::ExecClearTuple(slot);
}

void end_insert(::CustomScanState* node) {
    end_conflicts(insert_of(node)->conflicts);
    if (insert_of(node)->returned != nullptr) {
        ::ExecDropSingleTupleTableSlot(insert_of(node)->returned);
    }
    if (insert_of(node)->router != nullptr) {
        insert_of(node)->router->end();
    }
    ::ExecEndNode(static_cast<::PlanState*>(linitial(node->custom_ps)));
}

void explain_insert(::CustomScanState* node, ::List*, ::ExplainState* es) {
    const InsertPlan& plan = insert_of(node)->plan;
    ::ExplainPropertyText("Route", plan.group_id == 0 ? "every node" : "each row by its key", es);
    if (plan.copy != nullptr) {
        ::ExplainPropertyText("Many rows", "by binary COPY", es);
    }
    if (plan.fields != nullptr) {
        ::ExplainPropertyText("Divided by", "the nodes that have them", es);
    }
    const char* text = ::psprintf("%s(...) VALUES ...%s", plan.head, plan.tail);
    pg::enter("HerdInsert", [&] { explain_text(text, es); });
}

constexpr ::CustomExecMethods kInsertExecMethods = [] {
    ::CustomExecMethods methods{};
    methods.CustomName = "HerdInsert";
    methods.BeginCustomScan = begin_insert;
    methods.ExecCustomScan = execute_insert;
    methods.EndCustomScan = end_insert;
    methods.ReScanCustomScan = rescan_rows;
    methods.ExplainCustomScan = explain_insert;
    return methods;
}();

::Node* create_insert_state(::CustomScan*) {
    auto* state = reinterpret_cast<InsertState*>(newNode(sizeof(InsertState), T_CustomScanState));
    state->custom.methods = &kInsertExecMethods;
    return reinterpret_cast<::Node*>(state);
}

constexpr ::CustomScanMethods kInsertMethods = {"HerdInsert", create_insert_state};

// The checks that HerdInsertRows makes: lists of conditions, names and tables (RowCheck).
::List* row_checks(const InsertPlan& plan, const ::List* options) {
    ::List* quals = NIL;
    ::List* names = NIL;
    ::List* tables = NIL;
    for (int i = 0; i < ::list_length(options); ++i) {
        auto* option = static_cast<::WithCheckOption*>(::list_nth(options, i));
        bool of_view = option->kind == WCO_VIEW_CHECK;
        if (of_view || (plan.checked && option->kind == WCO_RLS_INSERT_CHECK)) {
            const char* name = of_view ? option->relname : option->polname;
            quals = ::lappend(quals, option->qual);
            names = ::lappend(names, ::makeString(::pstrdup(name == nullptr ? "" : name)));
            tables = ::lappend(tables, ::makeString(::pstrdup(of_view ? "" : option->relname)));
        }
    }
    return ::list_make3(quals, names, tables);
}

}  // namespace

void wrap_insert(::PlannedStmt* statement, const InsertPlan& plan, ::List* parameters,
                 ::List* checks) {
    auto* modify = reinterpret_cast<::ModifyTable*>(statement->planTree);
    ::CustomScan* rows = scan_over(outerPlan(modify), &kRowsMethods);
    rows->custom_private = row_checks(plan, checks);
    outerPlan(modify) = &rows->scan.plan;
    ::CustomScan* top = scan_over(&modify->plan, &kInsertMethods);
    top->custom_private = to_list(plan);
    top->custom_exprs = parameters;
    for (int i = 0; i < ::list_length(parameters); ++i) {
        ::fix_opfuncids(static_cast<::Node*>(::list_nth(parameters, i)));
    }
    statement->planTree = &top->scan.plan;
    statement->parallelModeNeeded = false;
}

void initialize_insert_scan() {
    ::RegisterCustomScanMethods(&kRowsMethods);
    ::RegisterCustomScanMethods(&kInsertMethods);
}

}  // namespace herd::executor
