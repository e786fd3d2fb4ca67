#include "executor/remote_scan.hpp"

#include "executor/explain.hpp"
#include "executor/remote_run.hpp"
#include "pg/compat.hpp"
#include "pg/counters.hpp"

extern "C" {
#include "executor/execdesc.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "tcop/pquery.h"
#include "utils/portal.h"
#include "utils/tuplestore.h"
}

namespace herd::executor {

namespace {

struct ScanState {
    ::CustomScanState custom;
    RemoteRun* run;
    ::Tuplestorestate* kept;  // the rows, for reading them again
    ::TupleTableSlot* kept_slot;
    bool complete;  // kept holds them all
    bool only_explained;
    ::PlanState* beside;  // rows of this server, read while the nodes work; nullptr: none
    bool beside_done;
};

ScanState* state_of(::CustomScanState* node) {
    return reinterpret_cast<ScanState*>(node);
}

// Where a plan's nodes are: in the inner side of a nested loop that hands values to it, which reads
// all its rows again for each outer one. No flag says so to what is below.
struct InnerSides {
    const ::Plan* wanted;
    bool inside;
};

bool is_inside(const ::Plan* plan, InnerSides where);

bool any_is_inside(const ::List* plans, InnerSides where) {
    for (int i = 0; i < ::list_length(plans); ++i) {
        if (is_inside(static_cast<const ::Plan*>(::list_nth(plans, i)), where)) {
            return true;
        }
    }
    return false;
}

bool is_inside(const ::Plan* plan, InnerSides where) {
    if (plan == nullptr || plan == where.wanted) {
        return plan != nullptr && where.inside;
    }
    InnerSides inner = where;
    const ::List* children = NIL;
    switch (nodeTag(plan)) {
        case T_NestLoop:
            inner.inside =
                where.inside || reinterpret_cast<const ::NestLoop*>(plan)->nestParams != NIL;
            break;
        case T_Append:
            children = reinterpret_cast<const ::Append*>(plan)->appendplans;
            break;
        case T_MergeAppend:
            children = reinterpret_cast<const ::MergeAppend*>(plan)->mergeplans;
            break;
        case T_SubqueryScan:
            return is_inside(reinterpret_cast<const ::SubqueryScan*>(plan)->subplan, where);
        case T_CustomScan:
            children = reinterpret_cast<const ::CustomScan*>(plan)->custom_plans;
            break;
        default:
            break;
    }
    return is_inside(plan->lefttree, where) || is_inside(plan->righttree, inner) ||
           any_is_inside(children, where);
}

// Whether the rows may be asked for again: inside of a join, a subplan or a cursor that goes back.
// Then they are kept, so that no rescan costs a round trip, nor sees other rows than the first. The
// rows do not depend on parameters that change.
bool may_be_read_again(const ::CustomScanState* node, int eflags) {
    const ::PlannedStmt* statement = node->ss.ps.state->es_plannedstmt;
    return (eflags & (EXEC_FLAG_REWIND | EXEC_FLAG_BACKWARD | EXEC_FLAG_MARK)) != 0 ||
           statement->subplans != NIL || node->ss.ps.plan->parallel_aware ||
           is_inside(statement->planTree, {node->ss.ps.plan, false});
}

void begin_body(::CustomScanState* node, ::EState* estate, int eflags) {
    auto* state = state_of(node);
    auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
    RemotePlan plan = pg::call([&] { return from_list(scan->custom_private); });
    state->run = pg::make_in<RemoteRun>(estate->es_query_cxt, node, plan);
    state->only_explained = (eflags & EXEC_FLAG_EXPLAIN_ONLY) != 0;
    if (state->only_explained) {
        state->run->try_choose_owners();
        return;
    }
    state->run->choose_owners();
    if (may_be_read_again(node, eflags)) {
        pg::call([&] { state->kept = ::tuplestore_begin_heap(true, false, work_mem); });
    }
    pg::count(pg::Counter::kRemoteScans);
}

void begin(::CustomScanState* node, ::EState* estate, int eflags) {
    auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
    if (scan->custom_plans != NIL) {
        auto* state = state_of(node);
        state->beside =
            ::ExecInitNode(static_cast<::Plan*>(linitial(scan->custom_plans)), estate, eflags);
        node->custom_ps = ::list_make1(state->beside);
        // Its rows are handed on in slots of its own.
        node->ss.ps.resultopsfixed = false;
    }
    pg::enter("HerdRemote", [&] { begin_body(node, estate, eflags); });
}

// A row that is kept, if there is one left to read. The scan's own slot takes no minimal tuples.
bool read_kept(ScanState* state, ::TupleTableSlot* slot) {
    if (::tuplestore_ateof(state->kept)) {
        return false;
    }
    if (state->kept_slot == nullptr) {
        ::MemoryContext old = MemoryContextSwitchTo(state->custom.ss.ps.state->es_query_cxt);
        state->kept_slot =
            ::MakeSingleTupleTableSlot(slot->tts_tupleDescriptor, &TTSOpsMinimalTuple);
        MemoryContextSwitchTo(old);
    }
    if (!::tuplestore_gettupleslot(state->kept, true, true, state->kept_slot)) {
        return false;
    }
    slot_getallattrs(state->kept_slot);
    ::ExecClearTuple(slot);
    for (int i = 0; i < slot->tts_tupleDescriptor->natts; ++i) {
        slot->tts_values[i] = state->kept_slot->tts_values[i];
        slot->tts_isnull[i] = state->kept_slot->tts_isnull[i];
    }
    ::ExecStoreVirtualTuple(slot);
    return true;
}

bool next_row(ScanState* state, ::TupleTableSlot* slot) {
    if (!state->run->query().started()) {
        state->run->start();
    }
    if (state->kept == nullptr) {
        if (state->run->query().next(slot)) {
            return true;
        }
        state->run->fetch_plans();
        return false;
    }
    // Rows that were read before, after a rescan; then new ones, which are kept.
    if (pg::call([&] { return read_kept(state, slot); })) {
        return true;
    }
    if (state->complete || !state->run->query().next(slot)) {
        state->complete = true;
        state->run->fetch_plans();
        return false;
    }
    pg::call([&] { ::tuplestore_puttupleslot(state->kept, slot); });
    return true;
}

::TupleTableSlot* access(::ScanState* scan) {
    auto* node = reinterpret_cast<::CustomScanState*>(scan);
    ::TupleTableSlot* slot = scan->ss_ScanTupleSlot;
    bool found = pg::enter("HerdRemote", [&] { return next_row(state_of(node), slot); });
    return found ? slot : ::ExecClearTuple(slot);
}

bool recheck(::ScanState*, ::TupleTableSlot*) {
    return true;
}

// The nodes are asked before the first row here is read.
::TupleTableSlot* next_beside(::CustomScanState* node) {
    auto* state = state_of(node);
    if (node->ss.ps.state->es_epq_active == nullptr) {
        pg::enter("HerdRemote", [&] {
            if (!state->run->query().started()) {
                state->run->start();
            }
        });
    }
    ::TupleTableSlot* slot = ::ExecProcNode(state->beside);
    state->beside_done = TupIsNull(slot);
    return slot;
}

::TupleTableSlot* execute(::CustomScanState* node) {
    auto* state = state_of(node);
    if (state->beside != nullptr && !state->beside_done) {
        ::TupleTableSlot* slot = next_beside(node);
        if (!TupIsNull(slot)) {
            return slot;
        }
    }
    if (state->run->is_packed()) {
        return ::ExecClearTuple(node->ss.ss_ScanTupleSlot);
    }
    if (node->ss.ps.state->es_epq_active != nullptr) {
        ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                        errmsg("could not serialize access due to concurrent update"),
                        errdetail("A row changed while the statement read rows of other nodes."),
                        errhint("Run the transaction again.")));
    }
    return ::ExecScan(&node->ss, access, recheck);
}

void end(::CustomScanState* node) {
    auto* state = state_of(node);
    if (state->beside != nullptr) {
        ::ExecEndNode(state->beside);
    }
    pg::enter("HerdRemote", [&] { state->run->query().reset(); });
    if (state->kept_slot != nullptr) {
        ::ExecDropSingleTupleTableSlot(state->kept_slot);
        state->kept_slot = nullptr;
    }
    if (state->kept != nullptr) {
        ::tuplestore_end(state->kept);
        state->kept = nullptr;
    }
}

void rescan(::CustomScanState* node) {
    auto* state = state_of(node);
    if (state->beside != nullptr) {
        state->beside_done = false;
        if (node->ss.ps.chgParam != nullptr) {
            ::UpdateChangedParamSet(state->beside, node->ss.ps.chgParam);
        }
        if (state->beside->chgParam == nullptr) {
            ::ExecReScan(state->beside);
        }
    }
    ::ExecScanReScan(&node->ss);
    if (state->kept != nullptr) {
        ::tuplestore_rescan(state->kept);
        return;
    }
    pg::enter("HerdRemote", [&] { state->run->query().reset(); });
}

void explain(::CustomScanState* node, ::List*, ::ExplainState* es) {
    auto* state = state_of(node);
    pg::enter("HerdRemote", [&] { explain_remote(*state->run, es, false); });
}

constexpr ::CustomExecMethods kExecMethods = [] {
    ::CustomExecMethods methods{};
    methods.CustomName = "HerdRemote";
    methods.BeginCustomScan = begin;
    methods.ExecCustomScan = execute;
    methods.EndCustomScan = end;
    methods.ReScanCustomScan = rescan;
    methods.ExplainCustomScan = explain;
    return methods;
}();

::Node* create_state(::CustomScan*) {
    auto* state = reinterpret_cast<ScanState*>(newNode(sizeof(ScanState), T_CustomScanState));
    state->custom.methods = &kExecMethods;
    return reinterpret_cast<::Node*>(state);
}

constexpr ::CustomScanMethods kScanMethods = {"HerdRemote", create_state};

// A value that comes from the rest of the plan, other than from a query that runs by itself.
bool waits_for_row(::Node* node, void* estate) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Param)) {
        auto* param = reinterpret_cast<::Param*>(node);
        return param->paramkind == PARAM_EXEC &&
               static_cast<::EState*>(estate)->es_param_exec_vals[param->paramid].execPlan ==
                   nullptr;
    }
    return pg::compat::walk_expression(node, waits_for_row, estate);
}

bool start_early(::PlanState* planstate, void* context) {
    auto* node = reinterpret_cast<::CustomScanState*>(planstate);
    if (IsA(planstate, CustomScanState) && node->methods == &kExecMethods) {
        auto* scan = reinterpret_cast<::CustomScan*>(planstate->plan);
        auto* state = state_of(node);
        if (!state->run->plan().writes && !state->run->query().started() &&
            !waits_for_row(reinterpret_cast<::Node*>(scan->custom_exprs), planstate->state)) {
            pg::enter("HerdRemote", [&] { state->run->start(); });
        }
    }
    return pg::compat::walk_plan_states(planstate, start_early, context);
}

}  // namespace

RemoteRun* run_of_scan(::PlanState* state) {
    ::PlanState* scan = IsA(state, ResultState) ? outerPlanState(state) : state;
    auto* node = reinterpret_cast<::CustomScanState*>(scan);
    bool is_remote =
        scan != nullptr && IsA(scan, CustomScanState) && node->methods == &kExecMethods;
    return is_remote ? state_of(node)->run : nullptr;
}

void start_scans_of_cursor(::QueryDesc* query) {
    bool opens = ActivePortal != nullptr && ActivePortal->status == PORTAL_DEFINED &&
                 ActivePortal->name[0] != '\0';
    if (opens && query->planstate != nullptr &&
        (query->estate->es_top_eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0) {
        (void)start_early(query->planstate, nullptr);
    }
}

const ::CustomScanMethods* remote_scan_methods() {
    return &kScanMethods;
}

void initialize_remote_scan() {
    ::RegisterCustomScanMethods(&kScanMethods);
}

}  // namespace herd::executor
