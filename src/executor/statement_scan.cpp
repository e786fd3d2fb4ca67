#include "executor/statement_scan.hpp"

#include "executor/explain.hpp"
#include "executor/remote_run.hpp"
#include "pg/counters.hpp"
#include "transaction/commit.hpp"

extern "C" {
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/planmain.h"
}

namespace herd::executor {

namespace {

struct StatementState {
    ::CustomScanState custom;
    RemoteRun* run;
    bool local_done;
    bool remote_done;
    bool only_explained;
};

StatementState* state_of(::CustomScanState* node) {
    return reinterpret_cast<StatementState*>(node);
}

void begin_body(::CustomScanState* node, ::EState* estate, int eflags) {
    auto* state = state_of(node);
    auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
    RemotePlan plan = pg::call([&] { return from_list(scan->custom_private); });
    state->run = pg::make_in<RemoteRun>(estate->es_query_cxt, node, plan);
    state->only_explained = (eflags & EXEC_FLAG_EXPLAIN_ONLY) != 0;
    bool known = true;
    if (state->only_explained) {
        known = state->run->try_choose_owners();
    } else {
        state->run->choose_owners();
    }
    if (state->run->runs_here()) {
        transaction::note_rows_here();
    }
    if (state->run->runs_here() || !known) {
        pg::call([&] {
            auto* child = static_cast<::Plan*>(linitial(scan->custom_plans));
            node->custom_ps = ::list_make1(::ExecInitNode(child, estate, eflags));
        });
    }
    if (!state->only_explained) {
        state->run->start_for_cursor();
    }
}

void begin(::CustomScanState* node, ::EState* estate, int eflags) {
    pg::enter("HerdStatement", [&] { begin_body(node, estate, eflags); });
}

// The child's row, whose first columns are ours; it may have more (ctid of FOR UPDATE and the
// like).
bool take_local(::CustomScanState* node, ::TupleTableSlot* slot) {
    auto* child = static_cast<::PlanState*>(linitial(node->custom_ps));
    ::TupleTableSlot* row = ::ExecProcNode(child);
    ::ExecClearTuple(slot);
    if (TupIsNull(row)) {
        return false;
    }
    int columns = slot->tts_tupleDescriptor->natts;
    slot_getsomeattrs(row, columns);
    for (int i = 0; i < columns; ++i) {
        slot->tts_values[i] = row->tts_values[i];
        slot->tts_isnull[i] = row->tts_isnull[i];
    }
    ::ExecStoreVirtualTuple(slot);
    return true;
}

void finish_remote(::CustomScanState* node) {
    auto* state = state_of(node);
    state->remote_done = true;
    state->run->fetch_plans();
    const RemotePlan& plan = state->run->plan();
    if (plan.writes && plan.sets_tag && plan.counts_rows) {
        node->ss.ps.state->es_processed += state->run->query().affected();
    }
    if (node->ss.ps.state->es_plannedstmt->commandType == CMD_INSERT) {
        pg::count(pg::Counter::kRowsInserted, state->run->query().affected());
    }
}

// True when the slot holds a row. Nodes are asked first, so that they work while this server does.
bool next_row(::CustomScanState* node, ::TupleTableSlot* slot) {
    auto* state = state_of(node);
    RemoteRun& run = *state->run;
    // Writers of a reference table meet at this server's copy first, so that they cannot deadlock.
    if (!run.query().started() && run.plan().counts_rows) {
        run.start();
    }
    if (!state->local_done) {
        if (run.runs_here() && pg::call([&] { return take_local(node, slot); })) {
            return true;
        }
        state->local_done = true;
    }
    if (!run.query().started()) {
        run.start();
    }
    while (!state->remote_done) {
        if (run.query().next(slot)) {
            if (run.plan().counts_rows) {
                return true;
            }
            continue;  // every node returns the same rows: this server's have been returned
        }
        finish_remote(node);
    }
    return false;
}

::TupleTableSlot* execute(::CustomScanState* node) {
    ::TupleTableSlot* slot = node->ss.ss_ScanTupleSlot;
    bool found = pg::enter("HerdStatement", [&] { return next_row(node, slot); });
    if (!found) {
        return ::ExecClearTuple(
            node->ss.ps.ps_ResultTupleSlot != nullptr ? node->ss.ps.ps_ResultTupleSlot : slot);
    }
    if (node->ss.ps.ps_ProjInfo == nullptr) {
        return slot;
    }
    node->ss.ps.ps_ExprContext->ecxt_scantuple = slot;
    return ::ExecProject(node->ss.ps.ps_ProjInfo);
}

void end(::CustomScanState* node) {
    if (node->custom_ps != NIL) {
        ::ExecEndNode(static_cast<::PlanState*>(linitial(node->custom_ps)));
    }
    pg::enter("HerdStatement", [&] { state_of(node)->run->query().reset(); });
}

void rescan(::CustomScanState* node) {
    auto* state = state_of(node);
    pg::enter("HerdStatement", [&] { state->run->query().reset(); });
    state->local_done = false;
    state->remote_done = false;
    if (node->custom_ps != NIL) {
        ::ExecReScan(static_cast<::PlanState*>(linitial(node->custom_ps)));
    }
}

void explain(::CustomScanState* node, ::List*, ::ExplainState* es) {
    auto* state = state_of(node);
    pg::enter("HerdStatement", [&] { explain_remote(*state->run, es, true); });
}

constexpr ::CustomExecMethods kExecMethods = [] {
    ::CustomExecMethods methods{};
    methods.CustomName = "HerdStatement";
    methods.BeginCustomScan = begin;
    methods.ExecCustomScan = execute;
    methods.EndCustomScan = end;
    methods.ReScanCustomScan = rescan;
    methods.ExplainCustomScan = explain;
    return methods;
}();

::Node* create_state(::CustomScan*) {
    auto* state =
        reinterpret_cast<StatementState*>(newNode(sizeof(StatementState), T_CustomScanState));
    state->custom.methods = &kExecMethods;
    return reinterpret_cast<::Node*>(state);
}

constexpr ::CustomScanMethods kScanMethods = {"HerdStatement", create_state};

}  // namespace

void wrap_statement(::PlannedStmt* statement, const RemotePlan& plan, ::Node* key,
                    ::List* parameters) {
    ::Plan* child = statement->planTree;
    auto* scan = makeNode(CustomScan);
    for (int i = 0; i < ::list_length(child->targetlist); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(child->targetlist, i));
        if (entry->resjunk) {
            continue;
        }
        auto* expression = reinterpret_cast<::Node*>(entry->expr);
        auto* column = ::makeNullConst(::exprType(expression), ::exprTypmod(expression),
                                       ::exprCollation(expression));
        ::TargetEntry* inner = ::flatCopyTargetEntry(entry);
        inner->expr = reinterpret_cast<::Expr*>(column);
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
    scan->custom_exprs = expressions_of(plan, key, parameters);
    for (int i = 0; i < ::list_length(scan->custom_exprs); ++i) {
        ::fix_opfuncids(static_cast<::Node*>(::list_nth(scan->custom_exprs, i)));
    }
    scan->custom_private = to_list(plan);
    scan->flags = CUSTOMPATH_SUPPORT_PROJECTION;
    scan->methods = &kScanMethods;
    statement->planTree = &scan->scan.plan;
    statement->parallelModeNeeded = false;
}

NodeId node_of_statement(const ::PlanState* top) {
    auto* node = reinterpret_cast<const ::CustomScanState*>(
        IsA(top, MaterialState) ? outerPlanState(top) : top);
    if (!IsA(node, CustomScanState) || node->methods != &kExecMethods) {
        elog(ERROR, "unexpected plan of a cursor: %d", static_cast<int>(nodeTag(node)));
    }
    const RemoteRun& run = *state_of(const_cast<::CustomScanState*>(node))->run;
    return run.runs_here() ? kCoordinator : run.nodes().front();
}

bool is_statement_scan(const ::Plan* plan) {
    return IsA(plan, CustomScan) &&
           reinterpret_cast<const ::CustomScan*>(plan)->methods == &kScanMethods;
}

void initialize_statement_scan() {
    ::RegisterCustomScanMethods(&kScanMethods);
}

}  // namespace herd::executor
