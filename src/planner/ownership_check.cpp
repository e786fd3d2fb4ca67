#include "planner/ownership_check.hpp"

#include <cinttypes>

#include "base/sqlstate.hpp"
#include "pg/guard.hpp"
#include "pg/key_hash.hpp"

extern "C" {
#include "executor/executor.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

// custom_private: the tables' oids, in the order of custom_exprs; one more when rows are checked.
struct CheckState {
    ::CustomScanState scan;
    ::List* keys;  // of ExprState*
    const catalog::Catalog* herd;
    bool checked;
    // Of rows:
    const catalog::Table* row_table;
    Oid row_type;
    pg::KeyHasher row_hasher;
};

CheckState* state_of(::CustomScanState* node) {
    return reinterpret_cast<CheckState*>(node);
}

const ::CustomScan* plan_of(const CheckState* state) {
    return reinterpret_cast<const ::CustomScan*>(state->scan.ss.ps.plan);
}

// ---- the plan ----

// Hands on the child's column. Constants stay themselves: an INSERT insists on seeing the NULLs of
// dropped columns.
::TargetEntry* pass_on(const ::TargetEntry* column) {
    auto* entry = static_cast<::TargetEntry*>(::palloc(sizeof(::TargetEntry)));
    *entry = *column;
    auto* value = reinterpret_cast<::Node*>(column->expr);
    if (!IsA(value, Const)) {
        ::Var* variable = ::makeVar(OUTER_VAR, column->resno, ::exprType(value),
                                    ::exprTypmod(value), ::exprCollation(value), 0);
        entry->expr = reinterpret_cast<::Expr*>(variable);
    }
    return entry;
}

const ::CustomScanMethods* plan_methods();

::CustomScan* make_check(::Plan* child) {
    ::CustomScan* check = makeNode(CustomScan);
    ::Plan* plan = &check->scan.plan;
    plan->startup_cost = child->startup_cost;
    plan->total_cost = child->total_cost;
    plan->plan_rows = child->plan_rows;
    plan->plan_width = child->plan_width;
    plan->parallel_safe = false;
    plan->extParam = ::bms_copy(child->extParam);
    plan->allParam = ::bms_copy(child->allParam);
    plan->plan_node_id = -1;
    plan->lefttree = child;
    for (int i = 0; i < ::list_length(child->targetlist); ++i) {
        auto* column = static_cast<::TargetEntry*>(::list_nth(child->targetlist, i));
        plan->targetlist = ::lappend(plan->targetlist, pass_on(column));
    }
    check->flags = ::ExecSupportsBackwardScan(child) ? CUSTOMPATH_SUPPORT_BACKWARD_SCAN : 0;
    check->methods = plan_methods();
    return check;
}

// ---- its execution ----

::Node* create_state(::CustomScan*);

[[noreturn]] void refuse_foreign_key(const catalog::Catalog& herd, const catalog::Table& table,
                                     NodeId owner) {
    const catalog::NodeEntry* other = herd.node(owner);
    const catalog::NodeEntry* self = herd.node(herd.self);
    ereport(ERROR,
            (errcode(sqlstate::kNestedOnNode.code),
             errmsg("a statement in a function needs rows of table \"%s\" that other nodes hold",
                    ::get_rel_name(table.relid)),
             errdetail("The key belongs to node \"%s\"; the function runs on node \"%s\".",
                       other == nullptr ? "?" : other->name.c_str(),
                       self == nullptr ? "?" : self->name.c_str()),
             errhint("Let the function use the key of the row that it works for, or run the "
                     "statement from the coordinator.")));
    pg_unreachable();
}

void require_own_hash(const catalog::Catalog& herd, const catalog::Table& table,
                      std::int64_t hash) {
    NodeId owner = pg::enter("ownership", [&] { return table.group->map().owner(hash).node; });
    if (owner != herd.self) {
        refuse_foreign_key(herd, table, owner);
    }
}

const catalog::Table* checked_table(const CheckState* state, int index) {
    Oid relid = list_nth_oid(plan_of(state)->custom_private, index);
    const catalog::Table* table = state->herd->find(relid);
    if (table == nullptr || table->group == nullptr) {
        ereport(ERROR,
                (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                 errmsg("table \"%s\" has just changed its distribution", ::get_rel_name(relid)),
                 errhint("Run the transaction again.")));
    }
    return table;
}

void begin(::CustomScanState* node, ::EState* estate, int flags) {
    CheckState* state = state_of(node);
    const ::CustomScan* plan = plan_of(state);
    outerPlanState(node) = ::ExecInitNode(outerPlan(plan), estate, flags);
    node->ss.ps.resultops =
        ::ExecGetResultSlotOps(outerPlanState(node), &node->ss.ps.resultopsfixed);
    node->ss.ps.resultopsset = true;
    if ((flags & EXEC_FLAG_EXPLAIN_ONLY) != 0) {
        return;
    }
    state->herd = pg::enter("ownership", [] { return catalog::current(); });
    state->keys = ::ExecInitExprList(plan->custom_exprs, &node->ss.ps);
    int keys = ::list_length(plan->custom_exprs);
    if (keys < ::list_length(plan->custom_private)) {
        state->row_table = checked_table(state, keys);
        state->row_type = ::get_atttype(state->row_table->relid, state->row_table->key_attnum);
        state->row_hasher = pg::key_hasher(state->row_type, state->row_table->group->key_collation);
    }
}

void check_expressions(CheckState* state) {
    ::ExprContext* context = state->scan.ss.ps.ps_ExprContext;
    for (int i = 0; i < ::list_length(state->keys); ++i) {
        bool isnull = false;
        Datum value = ::ExecEvalExprSwitchContext(
            static_cast<::ExprState*>(::list_nth(state->keys, i)), context, &isnull);
        auto* key = static_cast<::Node*>(::list_nth(plan_of(state)->custom_exprs, i));
        // A comparison with NULL finds no row anywhere.
        if (!isnull) {
            require_own_key(*state->herd, *checked_table(state, i), ::exprType(key), value, isnull);
        }
        ::ResetExprContext(context);
    }
    state->checked = true;
}

::TupleTableSlot* next_row(::CustomScanState* node) {
    CheckState* state = state_of(node);
    if (!state->checked) {
        check_expressions(state);
    }
    ::TupleTableSlot* row = ::ExecProcNode(outerPlanState(node));
    if (state->row_table != nullptr && !TupIsNull(row)) {
        bool isnull = false;
        Datum key = ::slot_getattr(row, state->row_table->key_attnum, &isnull);
        require_own_hash(*state->herd, *state->row_table,
                         pg::hash_key(state->row_hasher, key, isnull));
    }
    return row;
}

void end(::CustomScanState* node) {
    ::ExecEndNode(outerPlanState(node));
}

void rescan(::CustomScanState* node) {
    ::PlanState* child = outerPlanState(node);
    if (child->chgParam == nullptr) {
        ::ExecReScan(child);
    }
}

constexpr char kName[] = "HerdOwnershipCheck";

constexpr ::CustomScanMethods kPlanMethods = {kName, create_state};

const ::CustomScanMethods* plan_methods() {
    return &kPlanMethods;
}

constexpr ::CustomExecMethods kStateMethods = {kName,   begin,   next_row, end,     rescan,
                                               nullptr, nullptr, nullptr,  nullptr, nullptr,
                                               nullptr, nullptr, nullptr};

::Node* create_state(::CustomScan*) {
    auto* state = static_cast<CheckState*>(::palloc0(sizeof(CheckState)));
    NodeSetTag(state, T_CustomScanState);
    state->scan.methods = &kStateMethods;
    return reinterpret_cast<::Node*>(state);
}

}  // namespace

::Plan* check_keys(::Plan* plan, const ::List* checks) {
    ::CustomScan* node = make_check(plan);
    for (int i = 0; i < ::list_length(checks); ++i) {
        auto* check = static_cast<const KeyCheck*>(::list_nth(checks, i));
        node->custom_exprs = ::lappend(node->custom_exprs, check->key);
        node->custom_private = ::lappend_oid(node->custom_private, check->table->relid);
    }
    return &node->scan.plan;
}

::Plan* check_rows(::Plan* plan, const catalog::Table& table) {
    ::CustomScan* node = make_check(plan);
    node->custom_private = ::lappend_oid(NIL, table.relid);
    return &node->scan.plan;
}

void require_own_key(const catalog::Catalog& herd, const catalog::Table& table, Oid type,
                     Datum value, bool isnull) {
    pg::KeyHasher hasher = pg::key_hasher(type, table.group->key_collation);
    require_own_hash(herd, table, pg::hash_key(hasher, value, isnull));
}

void initialize_ownership_check() {
    ::RegisterCustomScanMethods(&kPlanMethods);
}

}  // namespace herd::planner
