// HerdModify: takes all changes from the plan below, carries them out, and hands them on as they
// have become, for RETURNING and checks.
#include "executor/explain.hpp"
#include "executor/modify_plan_data.hpp"
#include "executor/modify_router.hpp"
#include "executor/remote_run.hpp"

extern "C" {
#include "commands/explain.h"
#include "executor/executor.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
}

namespace herd::executor {

namespace {

struct ModifyState {
    ::CustomScanState custom;
    ModifyRouter* router;
    ModifyPlan plan;
    ::TupleTableSlot* changed;
    bool done;
};

ModifyState* state_of(::CustomScanState* node) {
    return reinterpret_cast<ModifyState*>(node);
}

::PlanState* changes_of(::CustomScanState* node) {
    return static_cast<::PlanState*>(linitial(node->custom_ps));
}

void begin_body(::CustomScanState* node, ::EState* estate, int eflags) {
    ModifyState* state = state_of(node);
    auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
    ::TupleDesc changes = node->ss.ss_ScanTupleSlot->tts_tupleDescriptor;
    pg::call([&] {
        state->plan = modify_plan_from_list(scan->custom_private);
        auto* child = static_cast<::Plan*>(linitial(scan->custom_plans));
        node->custom_ps = ::list_make1(::ExecInitNode(child, estate, eflags));
        state->changed = ::MakeSingleTupleTableSlot(changes, &TTSOpsMinimalTuple);
    });
    if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0) {
        state->router = pg::make_in<ModifyRouter>(estate->es_query_cxt, state->plan, changes);
    }
}

void begin(::CustomScanState* node, ::EState* estate, int eflags) {
    pg::enter("HerdModify", [&] { begin_body(node, estate, eflags); });
}

void carry_out(::CustomScanState* node) {
    ModifyState* state = state_of(node);
    ::PlanState* changes = changes_of(node);
    if (state->plan.group_id != 0) {
        pg::call([&] { lock_group_writes(state->plan.group_id); });
    }
    state->router->share_snapshot(statement_number(node->ss.ps.state));
    while (pg::call([&] {
        ::TupleTableSlot* change = ::ExecProcNode(changes);
        if (TupIsNull(change)) {
            return false;
        }
        state->router->keep(change);
        return true;
    })) {
    }
    state->router->carry_out();
    state->done = true;
    if (state->plan.sets_tag) {
        node->ss.ps.state->es_processed += state->router->affected();
    }
}

bool next_row(::CustomScanState* node, ::TupleTableSlot* slot) {
    ModifyState* state = state_of(node);
    if (!state->done) {
        carry_out(node);
    }
    if (!state->router->next(state->changed)) {
        return false;
    }
    pg::call([&] {
        slot_getallattrs(state->changed);
        ::ExecClearTuple(slot);
        for (int i = 0; i < slot->tts_tupleDescriptor->natts; ++i) {
            slot->tts_values[i] = state->changed->tts_values[i];
            slot->tts_isnull[i] = state->changed->tts_isnull[i];
        }
        ::ExecStoreVirtualTuple(slot);
    });
    return true;
}

::TupleTableSlot* access(::ScanState* scan) {
    auto* node = reinterpret_cast<::CustomScanState*>(scan);
    ::TupleTableSlot* slot = scan->ss_ScanTupleSlot;
    bool found = pg::enter("HerdModify", [&] { return next_row(node, slot); });
    return found ? slot : ::ExecClearTuple(slot);
}

bool recheck(::ScanState*, ::TupleTableSlot*) {
    return true;
}

::TupleTableSlot* execute(::CustomScanState* node) {
    return ::ExecScan(&node->ss, access, recheck);
}

void end(::CustomScanState* node) {
    ::ExecDropSingleTupleTableSlot(state_of(node)->changed);
    if (state_of(node)->router != nullptr) {
        state_of(node)->router->end();
    }
    ::ExecEndNode(changes_of(node));
}

void rescan(::CustomScanState*) {
    elog(ERROR, "changes can't be carried out again");
}

const char* command_name(::CmdType command) {
    return command == CMD_UPDATE ? "Update" : command == CMD_DELETE ? "Delete" : "Insert";
}

void explain_body(::CustomScanState* node, ::ExplainState* es) {
    const ModifyPlan& plan = state_of(node)->plan;
    ModifyText text(plan, node->ss.ss_ScanTupleSlot->tts_tupleDescriptor);
    std::string route = plan.group_id == 0 ? "every node" : "each row by its place";
    pg::call([&] { ::ExplainPropertyText("Route", route.c_str(), es); });
    for (int i = 0; i < ::list_length(plan.actions); ++i) {
        const auto& action = *static_cast<ModifyAction*>(::list_nth(plan.actions, i));
        std::string sql = text.text(action, 1, plan.returns);
        std::string label = std::string(command_name(action.command)) + " SQL";
        pg::call([&] { ::ExplainPropertyText(label.c_str(), sql.c_str(), es); });
    }
}

void explain(::CustomScanState* node, ::List*, ::ExplainState* es) {
    pg::enter("HerdModify", [&] { explain_body(node, es); });
}

const ::CustomExecMethods kExecMethods = [] {
    ::CustomExecMethods methods{};
    methods.CustomName = "HerdModify";
    methods.BeginCustomScan = begin;
    methods.ExecCustomScan = execute;
    methods.EndCustomScan = end;
    methods.ReScanCustomScan = rescan;
    methods.ExplainCustomScan = explain;
    return methods;
}();

::Node* create_state(::CustomScan*) {
    auto* state = reinterpret_cast<ModifyState*>(newNode(sizeof(ModifyState), T_CustomScanState));
    state->custom.methods = &kExecMethods;
    return reinterpret_cast<::Node*>(state);
}

constexpr ::CustomScanMethods kScanMethods = {"HerdModify", create_state};

}  // namespace

const ::CustomScanMethods* modify_scan_methods() {
    return &kScanMethods;
}

void initialize_modify_scan() {
    ::RegisterCustomScanMethods(&kScanMethods);
}

}  // namespace herd::executor
