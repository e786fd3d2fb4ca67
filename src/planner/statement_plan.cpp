#include "planner/statement_plan.hpp"

#include <cstring>

#include "executor/statement_scan.hpp"
#include "pg/key_hash.hpp"
#include "pg/wire_types.hpp"
#include "planner/assignments.hpp"
#include "planner/deparse.hpp"
#include "planner/few_rows.hpp"
#include "planner/fragment.hpp"
#include "planner/function_rules.hpp"
#include "planner/insert_select.hpp"
#include "planner/shippable.hpp"
#include "planner/view_checks.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace herd::planner {

namespace {

// The distribution key's value for the whole statement, and the group whose map it is looked up in.
struct RouteKey {
    ::Node* value;
    const catalog::Group* group;
};

std::int64_t hash_of_constant(const ::Const* constant, const catalog::Group& group) {
    pg::KeyHasher hasher = pg::key_hasher(constant->consttype, group.key_collation);
    return pg::hash_key(hasher, constant->constvalue, constant->constisnull);
}

::Node* fold(::Node* value) {
    return ::eval_const_expressions(nullptr, static_cast<::Node*>(copyObjectImpl(value)));
}

// Whether two keys have the same owner for certain.
bool same_owner(const RouteKey& one, const RouteKey& other) {
    if (one.group == other.group && equal(one.value, other.value)) {
        return true;
    }
    if (!IsA(one.value, Const) || !IsA(other.value, Const)) {
        return false;
    }
    auto node_of = [](const RouteKey& key) {
        auto hash = hash_of_constant(reinterpret_cast<const ::Const*>(key.value), *key.group);
        return pg::enter("routing", [&] { return key.group->map().owner(hash).node; });
    };
    return node_of(one) == node_of(other);
}

bool find_route_key(const KeyGraph& graph, RouteKey* key) {
    key->value = nullptr;
    for (int i = 0; i < ::list_length(graph.refs); ++i) {
        auto* ref = static_cast<DistributedRef*>(::list_nth(graph.refs, i));
        ::Node* value = fixed_value(graph, ref->key_node);
        if (value == nullptr) {
            return false;
        }
        RouteKey found = {fold(value), ref->table->group};
        if (key->value == nullptr) {
            *key = found;
        } else if (!same_owner(*key, found)) {
            return false;
        }
    }
    return key->value != nullptr;
}

bool results_can_travel(const ::List* target_list) {
    for (int i = 0; i < ::list_length(target_list); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(target_list, i));
        if (!entry->resjunk &&
            pg::has_local_value_type(::exprType(reinterpret_cast<::Node*>(entry->expr)))) {
            return false;
        }
    }
    return true;
}

bool results_in_binary(const ::List* target_list) {
    for (int i = 0; i < ::list_length(target_list); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(target_list, i));
        if (!entry->resjunk &&
            !pg::binary_is_portable(::exprType(reinterpret_cast<::Node*>(entry->expr)))) {
            return false;
        }
    }
    return true;
}

// Equal, or constants of two types (4 and 4::bigint) that print alike.
bool same_value(const ::Node* one, const ::Node* other) {
    if (equal(one, other)) {
        return true;
    }
    if (!IsA(one, Const) || !IsA(other, Const)) {
        return false;
    }
    char* texts[2];
    const ::Node* nodes[2] = {one, other};
    for (int i = 0; i < 2; ++i) {
        auto* constant = reinterpret_cast<const ::Const*>(nodes[i]);
        if (constant->constisnull) {
            return false;
        }
        Oid function = InvalidOid;
        bool is_varlena = false;
        ::getTypeOutputInfo(constant->consttype, &function, &is_varlena);
        texts[i] = ::OidOutputFunctionCall(function, constant->constvalue);
    }
    return std::strcmp(texts[0], texts[1]) == 0;
}

const ::List* output_of(const ::Query* query) {
    return query->commandType == CMD_SELECT ? query->targetList : query->returningList;
}

executor::RemotePlan remote_plan(const PlanRequest& request, const RemoteText& text) {
    executor::RemotePlan plan;
    plan.text = text.text;
    plan.plan_id = executor::new_plan_id();
    plan.writes = request.query->commandType != CMD_SELECT || request.query->rowMarks != NIL;
    plan.repeatable = is_repeatable(request.query);
    plan.few_rows = returns_few_rows(request.query);
    plan.sets_tag = request.query->commandType != CMD_SELECT && request.query->canSetTag;
    plan.several = one_of_several();
    plan.binary = results_in_binary(output_of(request.query));
    if (request.query->resultRelation > 0) {
        // Through an updatable view: its owner's rights.
        plan.role = rt_fetch(request.query->resultRelation, request.query->rtable)->checkAsUser;
    }
    return plan;
}

::PlannedStmt* plan_child(const PlanRequest& request) {
    auto* copy = static_cast<::Query*>(copyObjectImpl(request.query));
    int cursor_options = request.cursor_options;
    if (copy->commandType != CMD_SELECT || may_run_statements(copy)) {
        cursor_options &= ~CURSOR_OPT_PARALLEL_OK;
    }
    return request.plain(copy, request.text, cursor_options, request.parameters);
}

const DistributedRef* target_of(const KeyGraph& graph, const ::Query* query) {
    for (int i = 0; i < ::list_length(graph.refs); ++i) {
        auto* ref = static_cast<DistributedRef*>(::list_nth(graph.refs, i));
        if (ref->level == query && static_cast<int>(ref->rti) == query->resultRelation) {
            return ref;
        }
    }
    return nullptr;
}

// Whether each row of the target decides by its own key which rows of the other distributed tables
// matter to it, so that every node can do its part alone.
bool is_separable(const KeyGraph& graph, const ::Query* query) {
    const DistributedRef* target = target_of(graph, query);
    if (target == nullptr) {
        return false;
    }
    for (int i = 0; i < ::list_length(graph.refs); ++i) {
        auto* ref = static_cast<DistributedRef*>(::list_nth(graph.refs, i));
        if (ref->table->group != target->table->group ||
            !reaches(graph, target->key_node, ref->key_node)) {
            return false;
        }
    }
    return true;
}

// Whether the list gives the key another value than its own, or than the one that the statement is
// fixed to.
bool assigns_key(const ::List* target_list, int rti, ::AttrNumber key_column, const ::Node* key) {
    for (int i = 0; i < ::list_length(target_list); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(target_list, i));
        if (entry->resjunk || entry->resno != key_column) {
            continue;
        }
        auto* var = reinterpret_cast<::Var*>(entry->expr);
        bool itself = IsA(var, Var) && var->varno == rti && var->varattno == entry->resno;
        return !itself &&
               (key == nullptr || !same_value(fold(reinterpret_cast<::Node*>(entry->expr)), key));
    }
    return false;
}

// Whether a MERGE gives rows keys that may belong elsewhere. An INSERT without a key has a NULL
// one.
bool merges_keys(const ::Query* query, ::AttrNumber key_column, const ::Node* key) {
    for (int i = 0; i < ::list_length(query->mergeActionList); ++i) {
        auto* action = static_cast<::MergeAction*>(::list_nth(query->mergeActionList, i));
        bool writes = action->commandType == CMD_INSERT || action->commandType == CMD_UPDATE;
        int itself = action->commandType == CMD_UPDATE ? query->resultRelation : 0;
        bool names_key = false;
        for (int t = 0; t < ::list_length(action->targetList); ++t) {
            auto* entry = static_cast<::TargetEntry*>(::list_nth(action->targetList, t));
            names_key = names_key || entry->resno == key_column;
        }
        if (writes && ((action->commandType == CMD_INSERT && !names_key) ||
                       assigns_key(action->targetList, itself, key_column, key))) {
            return true;
        }
    }
    return false;
}

// Whether the statement, or a part of it in WITH, may give a row a key of another owner. key: what
// the statement is fixed to, or nullptr.
bool changes_key(const catalog::Catalog& herd, const ::Query* query, const ::Node* key) {
    const catalog::Table* table =
        query->resultRelation == 0
            ? nullptr
            : herd.find(rt_fetch(query->resultRelation, query->rtable)->relid);
    if (table != nullptr && table->kind == TableKind::kDistributed &&
        ((query->commandType == CMD_UPDATE &&
          assigns_key(query->targetList, query->resultRelation, table->key_attnum, key)) ||
         (query->commandType == CMD_MERGE && merges_keys(query, table->key_attnum, key)))) {
        return true;
    }
    for (int i = 0; i < ::list_length(query->cteList); ++i) {
        auto* cte = static_cast<::CommonTableExpr*>(::list_nth(query->cteList, i));
        if (changes_key(herd, reinterpret_cast<::Query*>(cte->ctequery), key)) {
            return true;
        }
    }
    return false;
}

// Whether every new row of an INSERT ... SELECT is made from a row of a distributed table that has
// the same key: then no two nodes make the same one.
bool is_made_from_own_rows(const KeyGraph& graph, const ::Query* query) {
    const DistributedRef* target = target_of(graph, query);
    for (int i = 0; i < ::list_length(graph.refs); ++i) {
        auto* ref = static_cast<DistributedRef*>(::list_nth(graph.refs, i));
        if (ref != target && reaches(graph, ref->key_node, target->key_node)) {
            return true;
        }
    }
    return false;
}

}  // namespace

void refuse_statement(const char* what, const char* reason, const char* hint) {
    ereport(ERROR, (errcode(sqlstate::kStatementNotCovered.code),
                    errmsg("%s is not covered yet over distributed tables", what),
                    errdetail_internal("%s.", reason), errhint("%s", hint)));
    pg_unreachable();
}

::PlannedStmt* plan_routed(const catalog::Catalog& herd, const PlanRequest& request,
                           const KeyGraph& graph) {
    RouteKey key{};
    bool writes = request.query->commandType != CMD_SELECT;
    if (graph.has_local || graph.has_table_number || !find_route_key(graph, &key) ||
        !is_shippable(reinterpret_cast<::Node*>(request.query), writes) ||
        !results_can_travel(output_of(request.query)) || has_view_checks(request.query) ||
        changes_key(herd, request.query, key.value)) {
        return nullptr;
    }
    RemoteText text = deparse(request.query, "");
    executor::RemotePlan plan = remote_plan(request, text);
    plan.routed = true;
    plan.group_id = key.group->id.value;
    plan.key_type = ::exprType(key.value);
    plan.key_collation = key.group->key_collation;
    ::PlannedStmt* statement = plan_child(request);
    executor::wrap_statement(statement, plan, key.value, text.parameters);
    return statement;
}

::PlannedStmt* plan_modify_everywhere(const catalog::Catalog& herd, const PlanRequest& request,
                                      const KeyGraph& graph) {
    const ::Query* query = request.query;
    auto* node = const_cast<::Node*>(reinterpret_cast<const ::Node*>(query));
    if (query->commandType == CMD_MERGE || !is_separable(graph, query) || graph.has_local ||
        graph.has_foreign_modify || has_view_checks(query) || !is_shippable(node, true) ||
        changes_key(herd, query, nullptr) ||
        (graph.has_system_column && (graph.has_table_number || ::list_length(graph.refs) < 2))) {
        return nullptr;
    }
    RemoteText text = deparse(query, "");
    executor::RemotePlan plan = remote_plan(request, text);
    const DistributedRef* target = target_of(graph, query);
    plan.group_id = target->table->group->id.value;
    ::Node* keys = fixed_values(graph, target->key_node);
    if (keys != nullptr) {
        keys = fold(keys);
        plan.by_keys = true;
        plan.key_type = ::get_element_type(::exprType(keys));
        plan.key_collation = target->table->group->key_collation;
    }
    ::PlannedStmt* statement = plan_child(request);
    executor::wrap_statement(statement, plan, keys, text.parameters);
    return statement;
}

::PlannedStmt* plan_insert_of_one(const PlanRequest& request, const catalog::Table& target,
                                  const KeyGraph& graph) {
    const ::Query* query = request.query;
    auto* node = const_cast<::Node*>(reinterpret_cast<const ::Node*>(query));
    const ::TargetEntry* key = ::get_tle_by_resno(query->targetList, target.key_attnum);
    if (key == nullptr || ::list_length(query->rtable) != 1 || query->jointree->fromlist != NIL ||
        query->onConflict != nullptr || query->withCheckOptions != NIL || query->hasRowSecurity ||
        query->hasSubLinks || query->cteList != NIL || query->hasTargetSRFs ||
        graph.has_foreign_modify || graph.has_system_column || graph.has_table_number ||
        OidIsValid(rt_fetch(query->resultRelation, query->rtable)->checkAsUser) ||
        assigns_parts(query->targetList) || !results_can_travel(query->returningList) ||
        ::contain_volatile_functions(reinterpret_cast<::Node*>(query->targetList)) ||
        ::contain_volatile_functions(reinterpret_cast<::Node*>(query->returningList)) ||
        !is_shippable(node)) {
        return nullptr;
    }
    RemoteText text = deparse(query, "");
    executor::RemotePlan plan = remote_plan(request, text);
    plan.routed = true;
    plan.group_id = target.group->id.value;
    auto* value = reinterpret_cast<::Node*>(key->expr);
    plan.key_type = ::exprType(value);
    plan.key_collation = target.group->key_collation;
    ::PlannedStmt* statement = plan_child(request);
    executor::wrap_statement(statement, plan, fold(value), text.parameters);
    return statement;
}

::PlannedStmt* plan_insert_on_nodes(const PlanRequest& request, const catalog::Table& target,
                                    const KeyGraph& graph) {
    const ::Query* query = request.query;
    if (!inserts_from_query(query) || assigns_parts(query->targetList) ||
        !is_separable(graph, query) || !is_made_from_own_rows(graph, query) || graph.has_local ||
        graph.has_foreign_modify || graph.has_system_column || has_view_checks(query) ||
        !results_can_travel(query->returningList) ||
        !is_shippable(const_cast<::Node*>(reinterpret_cast<const ::Node*>(query)), true)) {
        return nullptr;
    }
    RemoteText text = deparse(insert_with_expressions_inside(query), "");
    executor::RemotePlan plan = remote_plan(request, text);
    plan.group_id = target.group->id.value;
    ::PlannedStmt* statement = plan_child(request);
    executor::wrap_statement(statement, plan, nullptr, text.parameters);
    return statement;
}

::PlannedStmt* plan_modify_reference(const PlanRequest& request, const KeyGraph& graph) {
    const ::Query* query = request.query;
    auto* node = const_cast<::Node*>(reinterpret_cast<const ::Node*>(query));
    if (graph.refs != NIL || graph.has_local || graph.has_system_column ||
        graph.has_foreign_modify || has_view_checks(query) || !is_shippable(node) ||
        ::contain_volatile_functions(node)) {
        return nullptr;
    }
    RemoteText text = deparse(query, "");
    executor::RemotePlan plan = remote_plan(request, text);
    plan.counts_rows = false;
    ::PlannedStmt* statement = plan_child(request);
    executor::wrap_statement(statement, plan, nullptr, text.parameters);
    return statement;
}

}  // namespace herd::planner
