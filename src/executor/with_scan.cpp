#include "executor/with_scan.hpp"

#include <cstring>

#include "executor/pass_through.hpp"
#include "executor/remote_run.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "access/xact.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "executor/tstoreReceiver.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "utils/queryenvironment.h"
#include "utils/snapmgr.h"
}

namespace herd::executor {

namespace {

struct WithState {
    ::CustomScanState custom;
    ::List* parts;  // of QueryDesc*
    bool done;
};

const ::CustomScanMethods* methods();

WithState* state_of(::CustomScanState* node) {
    return reinterpret_cast<WithState*>(node);
}

// --- custom_private: (counted, name, label, statement, name, label, statement ...) ---

int part_count(const ::CustomScan* scan) {
    return (::list_length(scan->custom_private) - 1) / 3;
}

WithPart part_at(const ::CustomScan* scan, int number) {
    auto text = [&](int offset) {
        return strVal(::list_nth(scan->custom_private, 3 * number + offset));
    };
    auto* statement = static_cast<::PlannedStmt*>(::list_nth(scan->custom_private, 3 * number + 3));
    const char* name = text(1);
    return {statement, *name == '\0' ? nullptr : name, text(2)};
}

bool is_counted(const ::CustomScan* scan) {
    return intVal(linitial(scan->custom_private)) != 0;
}

// The name of a tuplestore that begins with that part, or nullptr.
const char* new_name_at(const ::CustomScan* scan, int number) {
    const char* name = part_at(scan, number).name;
    const char* before = number == 0 ? nullptr : part_at(scan, number - 1).name;
    return name != nullptr && before != nullptr && std::strcmp(name, before) == 0 ? nullptr : name;
}

// --- execution ---

::QueryDesc* describe(::CustomScanState* node, const WithPart& part) {
    ::EState* estate = node->ss.ps.state;
    ::DestReceiver* receiver = None_Receiver;
    if (part.name != nullptr) {
        ::EphemeralNamedRelation rows = ::get_ENR(estate->es_queryEnv, part.name);
        receiver = ::CreateTuplestoreDestReceiver();
        ::SetTuplestoreDestReceiverParams(receiver, static_cast<::Tuplestorestate*>(rows->reldata),
                                          estate->es_query_cxt, false, nullptr, nullptr);
    }
    return ::CreateQueryDesc(part.statement, estate->es_sourceText, estate->es_snapshot,
                             estate->es_crosscheck_snapshot, receiver, estate->es_param_list_info,
                             estate->es_queryEnv, estate->es_instrument);
}

void begin(::CustomScanState* node, ::EState* estate, int eflags) {
    auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
    WithState* state = state_of(node);
    auto* child = static_cast<::Plan*>(linitial(scan->custom_plans));
    // Row triggers fire at the end of the whole statement, as PostgreSQL has it.
    int flags = (eflags & EXEC_FLAG_EXPLAIN_ONLY) | EXEC_FLAG_SKIP_TRIGGERS;
    for (int i = 0; i < part_count(scan); ++i) {
        ::QueryDesc* query = describe(node, part_at(scan, i));
        ::ExecutorStart(query, flags);
        pg::enter("HerdWith", [&] { share_statement_number(query->estate, estate); });
        state->parts = ::lappend(state->parts, query);
    }
    node->custom_ps = ::list_make1(::ExecInitNode(child, estate, eflags));
}

void run_parts(::CustomScanState* node) {
    WithState* state = state_of(node);
    auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
    ::MemoryContext old = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);
    for (int i = 0; i < ::list_length(state->parts); ++i) {
        auto* query = static_cast<::QueryDesc*>(::list_nth(state->parts, i));
        ::ExecutorRun(query, ForwardScanDirection, 0, true);
        ::ExecutorFinish(query);
        if (is_counted(scan)) {
            node->ss.ps.state->es_processed += query->estate->es_processed;
        }
    }
    MemoryContextSwitchTo(old);
    state->done = true;
}

::TupleTableSlot* execute(::CustomScanState* node) {
    if (!state_of(node)->done) {
        run_parts(node);
    }
    return ::ExecProcNode(static_cast<::PlanState*>(linitial(node->custom_ps)));
}

void end(::CustomScanState* node) {
    WithState* state = state_of(node);
    ::ExecEndNode(static_cast<::PlanState*>(linitial(node->custom_ps)));
    auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
    for (int i = 0; i < ::list_length(state->parts); ++i) {
        auto* query = static_cast<::QueryDesc*>(::list_nth(state->parts, i));
        ::ExecutorEnd(query);
        ::FreeQueryDesc(query);
        const char* name = new_name_at(scan, i);
        if (name != nullptr) {
            ::QueryEnvironment* environment = node->ss.ps.state->es_queryEnv;
            auto* rows = static_cast<::Tuplestorestate*>(::get_ENR(environment, name)->reldata);
            ::unregister_ENR(environment, name);
            ::tuplestore_end(rows);
        }
    }
    state->parts = NIL;
}

void rescan(::CustomScanState*) {
    elog(ERROR, "a statement that changes rows in WITH can't be run again");
}

void explain(::CustomScanState* node, ::List*, ::ExplainState* es) {
    auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
    for (int i = 0; i < ::list_length(state_of(node)->parts); ++i) {
        auto* query = static_cast<::QueryDesc*>(::list_nth(state_of(node)->parts, i));
        ::ExplainState* own = ::NewExplainState();
        own->analyze = es->analyze;
        own->verbose = es->verbose;
        own->costs = es->costs;
        own->buffers = es->buffers;
        own->timing = es->timing;
        own->format = es->format;
        own->indent = es->format == EXPLAIN_FORMAT_TEXT ? es->indent + 1 : es->indent;
        const char* label = ::psprintf("First %s", part_at(scan, i).label);
        if (es->format == EXPLAIN_FORMAT_TEXT) {
            ::appendStringInfoSpaces(es->str, es->indent * 2);
            ::appendStringInfo(es->str, "%s:\n", label);
            own->str = es->str;
            ::ExplainPrintPlan(own, query);
            continue;
        }
        ::ExplainOpenGroup(label, label, true, es);
        own->str = es->str;
        own->grouping_stack = ::list_copy(es->grouping_stack);
        ::ExplainPrintPlan(own, query);
        ::ExplainCloseGroup(label, label, true, es);
    }
}

constexpr ::CustomExecMethods kExecMethods = [] {
    ::CustomExecMethods made{};
    made.CustomName = "HerdWith";
    made.BeginCustomScan = begin;
    made.ExecCustomScan = execute;
    made.EndCustomScan = end;
    made.ReScanCustomScan = rescan;
    made.ExplainCustomScan = explain;
    return made;
}();

::Node* create_state(::CustomScan*) {
    auto* state = reinterpret_cast<WithState*>(newNode(sizeof(WithState), T_CustomScanState));
    state->custom.methods = &kExecMethods;
    return reinterpret_cast<::Node*>(state);
}

constexpr ::CustomScanMethods kScanMethods = {"HerdWith", create_state};

const ::CustomScanMethods* methods() {
    return &kScanMethods;
}

void add_tuplestore(::QueryDesc* query, const WithPart& part) {
    if (query->queryEnv == nullptr) {
        query->queryEnv = ::create_queryEnv();
    }
    if (::get_ENR(query->queryEnv, part.name) != nullptr) {
        ereport(ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                 errmsg("a trigger's statement that changes rows in WITH runs within itself")));
    }
    auto* rows =
        static_cast<::EphemeralNamedRelation>(::palloc0(sizeof(::EphemeralNamedRelationData)));
    rows->md.name = ::pstrdup(part.name);
    rows->md.reliddesc = InvalidOid;
    rows->md.tupdesc = ::ExecCleanTypeFromTL(part.statement->planTree->targetlist);
    rows->md.enrtype = ENR_NAMED_TUPLESTORE;
    rows->md.enrtuples = part.statement->planTree->plan_rows;
    rows->reldata = ::tuplestore_begin_heap(true, false, work_mem);
    ::register_ENR(query->queryEnv, rows);
}

}  // namespace

char* new_tuplestore_name() {
    static uint64 last = 0;
    return ::psprintf("herd with " UINT64_FORMAT, ++last);
}

void wrap_with(::PlannedStmt* statement, ::List* parts, bool counted) {
    ::CustomScan* scan = scan_over(statement->planTree, methods());
    scan->custom_private = ::list_make1(::makeInteger(counted ? 1 : 0));
    for (int i = 0; i < ::list_length(parts); ++i) {
        auto* part = static_cast<WithPart*>(::list_nth(parts, i));
        const char* name = part->name == nullptr ? "" : part->name;
        scan->custom_private = ::lappend(scan->custom_private, ::makeString(::pstrdup(name)));
        scan->custom_private =
            ::lappend(scan->custom_private, ::makeString(::pstrdup(part->label)));
        scan->custom_private = ::lappend(scan->custom_private, part->statement);
        // Locks and invalidation of cached plans look at the whole statement's lists.
        statement->rtable = ::list_concat(
            statement->rtable, static_cast<::List*>(copyObjectImpl(part->statement->rtable)));
        statement->relationOids =
            ::list_concat_unique_oid(statement->relationOids, part->statement->relationOids);
        statement->dependsOnRole = statement->dependsOnRole || part->statement->dependsOnRole;
        statement->transientPlan = statement->transientPlan || part->statement->transientPlan;
        statement->invalItems =
            ::list_concat(statement->invalItems, ::list_copy(part->statement->invalItems));
        scan->scan.plan.startup_cost += part->statement->planTree->total_cost;
        scan->scan.plan.total_cost += part->statement->planTree->total_cost;
    }
    statement->planTree = &scan->scan.plan;
    statement->hasModifyingCTE = true;
    statement->parallelModeNeeded = false;
}

void prepare_with(::QueryDesc* query) {
    auto* scan = reinterpret_cast<::CustomScan*>(query->plannedstmt->planTree);
    // The rest of a statement may have parts of its own that run first.
    while (scan != nullptr && IsA(scan, CustomScan) && scan->methods == methods()) {
        for (int i = 0; i < part_count(scan); ++i) {
            if (new_name_at(scan, i) != nullptr) {
                add_tuplestore(query, part_at(scan, i));
            }
        }
        scan = static_cast<::CustomScan*>(linitial(scan->custom_plans));
    }
}

void initialize_with_scan() {
    ::RegisterCustomScanMethods(&kScanMethods);
}

}  // namespace herd::executor
