#include "scan.hpp"

#include "fault.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "commands/explain.h"
#include "executor/executor.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
}

namespace herd::boundary {

namespace {

::PlanState* child_of(::CustomScanState* node) {
    return static_cast<::PlanState*>(linitial(node->custom_ps));
}

// What a scan keeps in C++ lives as long as the executor's state, whether End is called or not.
void begin_scan(::CustomScanState* node, ::EState* state, int flags) {
    pg::enter("scan_begin", [&] {
        pg::make_in<Tracked>(state->es_query_cxt);
        visit("scan_begin");
        pg::call([&] {
            auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
            auto* child = static_cast<::Plan*>(linitial(scan->custom_plans));
            node->custom_ps = list_make1(::ExecInitNode(child, state, flags));
        });
    });
}

::TupleTableSlot* next_row(::CustomScanState* node) {
    return pg::enter("scan_exec", [&] {
        visit("scan_exec");
        return pg::call([&] { return ExecProcNode(child_of(node)); });
    });
}

void end_scan(::CustomScanState* node) {
    pg::enter("scan_end", [&] {
        visit("scan_end");
        pg::call([&] { ::ExecEndNode(child_of(node)); });
    });
}

void rescan(::CustomScanState* node) {
    pg::enter("scan_rescan", [&] {
        visit("scan_rescan");
        pg::call([&] { ::ExecReScan(child_of(node)); });
    });
}

void explain_scan(::CustomScanState*, ::List*, ::ExplainState* output) {
    pg::enter("scan_explain", [&] {
        visit("scan_explain");
        pg::call([&] { ::ExplainPropertyText("Boundary", "tested", output); });
    });
}

constexpr ::CustomExecMethods exec_methods() {
    ::CustomExecMethods methods{};
    methods.CustomName = "BoundaryScan";
    methods.BeginCustomScan = begin_scan;
    methods.ExecCustomScan = next_row;
    methods.EndCustomScan = end_scan;
    methods.ReScanCustomScan = rescan;
    methods.ExplainCustomScan = explain_scan;
    return methods;
}
constexpr ::CustomExecMethods kExecMethods = exec_methods();

::Node* create_state(::CustomScan*) {
    auto* state = makeNode(CustomScanState);
    state->methods = &kExecMethods;
    return reinterpret_cast<::Node*>(state);
}

constexpr ::CustomScanMethods kScanMethods{"BoundaryScan", create_state};

}  // namespace

void register_scan() {
    ::RegisterCustomScanMethods(&kScanMethods);
}

void put_scan_on_top(::PlannedStmt* statement) {
    if (statement->commandType != CMD_SELECT) {
        return;
    }
    ::Plan* child = statement->planTree;
    auto* scan = makeNode(CustomScan);
    ::Plan* plan = &scan->scan.plan;
    plan->startup_cost = child->startup_cost;
    plan->total_cost = child->total_cost;
    plan->plan_rows = child->plan_rows;
    plan->plan_width = child->plan_width;
    plan->plan_node_id = -1;
    plan->extParam = ::bms_copy(child->extParam);
    plan->allParam = ::bms_copy(child->allParam);
    ::ListCell* cell;
    foreach (cell, child->targetlist) {
        auto* entry = lfirst_node(TargetEntry, cell);
        auto* expression = reinterpret_cast<::Node*>(entry->expr);
        ::Oid type = ::exprType(expression);
        int32 typmod = ::exprTypmod(expression);
        ::Oid collation = ::exprCollation(expression);
        ::Var* column = ::makeVar(INDEX_VAR, entry->resno, type, typmod, collation, 0);
        ::Const* typed_null = ::makeNullConst(type, typmod, collation);
        plan->targetlist = lappend(
            plan->targetlist, ::makeTargetEntry(reinterpret_cast<::Expr*>(column), entry->resno,
                                                entry->resname, entry->resjunk));
        scan->custom_scan_tlist =
            lappend(scan->custom_scan_tlist,
                    ::makeTargetEntry(reinterpret_cast<::Expr*>(typed_null), entry->resno,
                                      entry->resname, entry->resjunk));
    }
    scan->custom_plans = list_make1(child);
    scan->methods = &kScanMethods;
    statement->planTree = plan;
}

}  // namespace herd::boundary
