#include "planner/remote_relation.hpp"

#include "executor/remote_plan.hpp"
#include "pg/compat.hpp"
#include "pg/wire_types.hpp"
#include "planner/broadcast.hpp"
#include "planner/deparse.hpp"
#include "planner/key_graph.hpp"
#include "planner/shippable.hpp"

extern "C" {
#include "access/stratnum.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/tlist.h"
#include "parser/parse_clause.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
}

namespace herd::planner {

namespace {

bool find_unsendable(::Node* node, void*) {
    if (node == nullptr) {
        return false;
    }
    switch (nodeTag(node)) {
        case T_Param:
            return reinterpret_cast<::Param*>(node)->paramkind != PARAM_EXTERN;
        case T_SubPlan:
        case T_AlternativeSubPlan:
        case T_PlaceHolderVar:
        case T_SubLink:
            return true;
        case T_Var:
            return reinterpret_cast<::Var*>(node)->varattno <= 0 ||
                   reinterpret_cast<::Var*>(node)->varlevelsup > 0;
        default:
            return pg::compat::walk_expression(node, find_unsendable, nullptr);
    }
}

void add_order(const RemoteRelation& relation, ::Query* query) {
    for (int i = 0; i < ::list_length(relation.order); ++i) {
        auto* item = static_cast<SortItem*>(::list_nth(relation.order, i));
        auto* expression = reinterpret_cast<::Expr*>(moved_expression(relation, item->expression));
        ::TargetEntry* entry = ::tlist_member(expression, query->targetList);
        if (entry == nullptr) {
            entry = ::makeTargetEntry(
                expression, static_cast<::AttrNumber>(::list_length(query->targetList) + 1),
                nullptr, true);
            query->targetList = ::lappend(query->targetList, entry);
        }
        auto* clause = makeNode(SortGroupClause);
        clause->tleSortGroupRef = ::assignSortGroupRef(entry, query->targetList);
        clause->sortop = item->sort_operator;
        clause->eqop = item->equality_operator;
        clause->nulls_first = item->nulls_first;
        clause->hashable = item->hashable;
        query->sortClause = ::lappend(query->sortClause, clause);
    }
    if (relation.limit >= 0) {
        query->limitCount = reinterpret_cast<::Node*>(
            ::makeConst(INT8OID, -1, InvalidOid, sizeof(int64),
                        Int64GetDatum(static_cast<int64>(relation.limit)), false, FLOAT8PASSBYVAL));
        query->limitOption = LIMIT_OPTION_COUNT;
    }
}

int position_of(const RemoteRelation& relation, ::Expr* expression) {
    for (int i = 0; i < ::list_length(relation.columns); ++i) {
        if (equal(::list_nth(relation.columns, i), expression)) {
            return i + 1;
        }
    }
    return 0;
}

::List* sort_columns(const RemoteRelation& relation) {
    ::List* columns = NIL;
    for (int i = 0; i < ::list_length(relation.order); ++i) {
        auto* item = static_cast<SortItem*>(::list_nth(relation.order, i));
        columns = ::lappend(columns, ::list_make4_int(position_of(relation, item->expression),
                                                      static_cast<int>(item->sort_operator),
                                                      static_cast<int>(item->collation),
                                                      item->nulls_first ? 1 : 0));
    }
    return columns;
}

void add_columns_of(RemoteRelation& relation, ::Node* expression) {
    ::List* vars = ::pull_var_clause(
        expression, PVC_RECURSE_PLACEHOLDERS | PVC_RECURSE_AGGREGATES | PVC_RECURSE_WINDOWFUNCS);
    for (int i = 0; i < ::list_length(vars); ++i) {
        auto* var = static_cast<::Var*>(::list_nth(vars, i));
        if (static_cast<::Index>(var->varno) != relation.rti) {
            continue;
        }
        if (position_of(relation, reinterpret_cast<::Expr*>(var)) == 0) {
            relation.columns = ::lappend(relation.columns, var);
        }
    }
}

// The member of the equivalence class that is a column of this relation.
::Expr* member_here(const ::EquivalenceClass* ec, const ::RelOptInfo* rel) {
    for (int i = 0; i < ::list_length(ec->ec_members); ++i) {
        auto* member = static_cast<::EquivalenceMember*>(::list_nth(ec->ec_members, i));
        if (!::bms_is_empty(member->em_relids) && ::bms_equal(member->em_relids, rel->relids)) {
            return member->em_expr;
        }
    }
    return nullptr;
}

::Expr* without_relabel(::Expr* expression) {
    while (expression != nullptr && IsA(expression, RelabelType)) {
        expression = reinterpret_cast<::RelabelType*>(expression)->arg;
    }
    return expression;
}

SortItem* sort_item(const ::PathKey* key, const ::RelOptInfo* rel) {
    ::Expr* expression =
        key->pk_eclass->ec_has_volatile ? nullptr : member_here(key->pk_eclass, rel);
    auto* column = without_relabel(expression);
    if (column == nullptr || !IsA(column, Var) || reinterpret_cast<::Var*>(column)->varattno <= 0) {
        return nullptr;
    }
    // The nodes sort by the type's default order, in the column's collation, as ORDER BY prints.
    Oid type = ::exprType(reinterpret_cast<::Node*>(expression));
    ::TypeCacheEntry* entry =
        ::lookup_type_cache(type, TYPECACHE_LT_OPR | TYPECACHE_GT_OPR | TYPECACHE_EQ_OPR |
                                      TYPECACHE_BTREE_OPFAMILY | TYPECACHE_HASH_PROC);
    if (entry->btree_opf != key->pk_opfamily ||
        ::exprCollation(reinterpret_cast<::Node*>(expression)) != key->pk_eclass->ec_collation ||
        pg::has_local_value_type(type) || type >= FirstNormalObjectId) {
        return nullptr;
    }
    auto* item = static_cast<SortItem*>(::palloc0(sizeof(SortItem)));
    item->expression = column;
    item->sort_operator = key->pk_strategy == BTLessStrategyNumber ? entry->lt_opr : entry->gt_opr;
    item->equality_operator = entry->eq_opr;
    item->collation = key->pk_eclass->ec_collation;
    item->nulls_first = key->pk_nulls_first;
    item->hashable = OidIsValid(entry->hash_proc);
    // A relabelled column sorts like the type that it is taken for.
    return ::exprType(reinterpret_cast<::Node*>(column)) == type ? item : nullptr;
}

::Node* set_keys(::Node* keys, bool is_array, executor::RemotePlan* plan) {
    plan->by_keys = is_array;
    plan->routed = !is_array;
    plan->key_type = is_array ? ::get_element_type(::exprType(keys)) : ::exprType(keys);
    return ::eval_const_expressions(nullptr, static_cast<::Node*>(copyObjectImpl(keys)));
}

// What the conditions fix the relation's key to: a value, or an array of them. Sets the plan's
// fields for it; nullptr if nothing.
::Node* keys_left(const RemoteRelation& relation, executor::RemotePlan* plan) {
    if (relation.fragment->fixed_keys != nullptr) {
        return set_keys(relation.fragment->fixed_keys, relation.fragment->fixed_to_array, plan);
    }
    for (int i = 0; i < ::list_length(relation.sent); ++i) {
        auto* clause = reinterpret_cast<::Node*>(
            static_cast<::RestrictInfo*>(::list_nth(relation.sent, i))->clause);
        ::Node* column = nullptr;
        ::Node* array = array_of_keys(clause, &column);
        if (array != nullptr && is_distribution_key(relation, column)) {
            return set_keys(array, true, plan);
        }
        ::Node* value = value_of_key(clause, &column);
        if (value != nullptr && is_distribution_key(relation, column)) {
            return set_keys(value, false, plan);
        }
    }
    return nullptr;
}

}  // namespace

RemoteRelation* new_relation(const Fragment& fragment, ::Index rti) {
    auto* relation = static_cast<RemoteRelation*>(::palloc0(sizeof(RemoteRelation)));
    relation->fragment = &fragment;
    relation->rti = rti;
    relation->limit = -1;
    return relation;
}

bool is_distribution_key(const RemoteRelation& relation, ::Node* expression) {
    auto* var = reinterpret_cast<::Var*>(without_relabel(reinterpret_cast<::Expr*>(expression)));
    return IsA(var, Var) && static_cast<::Index>(var->varno) == relation.rti &&
           var->varlevelsup == 0 && ::bms_is_member(var->varattno, relation.fragment->keys);
}

bool sendable_expression(::Node* expression) {
    return !find_unsendable(expression, nullptr);
}

::Node* moved_expression(const RemoteRelation& relation, const ::Expr* expression) {
    auto* copy = static_cast<::Node*>(copyObjectImpl(expression));
    ::ChangeVarNodes(copy, static_cast<int>(relation.rti), 1, 0);
    return copy;
}

bool can_send(const ::RestrictInfo* restriction) {
    auto* clause = reinterpret_cast<::Node*>(restriction->clause);
    // What a policy must come before stays here, unless it can tell nothing.
    bool may_leak = restriction->security_level > 0 && !restriction->leakproof;
    return !restriction->pseudoconstant && !may_leak && sendable_expression(clause) &&
           is_shippable(clause);
}

::Query* query_over(const RemoteRelation& relation) {
    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_SUBQUERY;
    rte->subquery = static_cast<::Query*>(copyObjectImpl(relation.fragment->query));
    ::List* names = NIL;
    for (int i = 0; i < ::list_length(rte->subquery->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(rte->subquery->targetList, i));
        if (!entry->resjunk) {
            names = ::lappend(names, ::makeString(::pstrdup(entry->resname)));
        }
    }
    rte->alias = ::makeAlias("f", NIL);
    rte->eref = ::makeAlias("f", names);
    rte->inFromCl = true;
    auto* query = makeNode(Query);
    query->commandType = CMD_SELECT;
    query->canSetTag = true;
    query->rtable = ::list_make1(rte);
    auto* reference = makeNode(RangeTblRef);
    reference->rtindex = 1;
    query->jointree = ::makeFromExpr(::list_make1(reference), nullptr);
    ::List* conditions = NIL;
    for (int i = 0; i < ::list_length(relation.sent); ++i) {
        auto* restriction = static_cast<::RestrictInfo*>(::list_nth(relation.sent, i));
        conditions = ::lappend(conditions, moved_expression(relation, restriction->clause));
    }
    if (conditions != NIL) {
        query->jointree->quals = reinterpret_cast<::Node*>(::make_ands_explicit(conditions));
    }
    return query;
}

void need_columns(RemoteRelation& relation, const ::RelOptInfo* rel) {
    add_columns_of(relation, reinterpret_cast<::Node*>(rel->reltarget->exprs));
    for (int i = 0; i < ::list_length(rel->baserestrictinfo); ++i) {
        auto* restriction = static_cast<::RestrictInfo*>(::list_nth(rel->baserestrictinfo, i));
        if (!list_member_ptr(relation.sent, restriction)) {
            add_columns_of(relation, reinterpret_cast<::Node*>(restriction->clause));
        }
    }
}

RemoteRelation* ordered_relation(::PlannerInfo* root, ::RelOptInfo* rel,
                                 const RemoteRelation& relation) {
    auto* ordered = static_cast<RemoteRelation*>(::palloc(sizeof(RemoteRelation)));
    *ordered = relation;
    ordered->columns = ::list_copy(relation.columns);
    for (int i = 0; i < ::list_length(root->query_pathkeys); ++i) {
        SortItem* item =
            sort_item(static_cast<::PathKey*>(::list_nth(root->query_pathkeys, i)), rel);
        if (item == nullptr) {
            return nullptr;
        }
        if (position_of(*ordered, item->expression) == 0) {
            ordered->columns = ::lappend(ordered->columns, item->expression);
        }
        ordered->order = ::lappend(ordered->order, item);
    }
    return ordered;
}

::Node* describe_fragment(const RemoteRelation& relation, executor::RemotePlan* plan) {
    const Fragment& fragment = *relation.fragment;
    plan->group_id = fragment.group_id;
    plan->role = fragment.role;
    plan->relations = fragment.names;
    // What a row-by-row change reads stays locked until it has been changed.
    plan->several = one_of_several() || changes_rows();
    plan->writes = fragment.locking != Locking::kNone;
    plan->queues = fragment.locking == Locking::kWaits;
    plan->key_collation = fragment.key_collation;
    return keys_left(relation, plan);
}

::List* scan_columns(const RemoteRelation& relation) {
    ::List* list = NIL;
    for (int i = 0; i < ::list_length(relation.columns); ++i) {
        auto* column = static_cast<::Expr*>(copyObjectImpl(::list_nth(relation.columns, i)));
        list = ::lappend(
            list, ::makeTargetEntry(column, static_cast<::AttrNumber>(i + 1), nullptr, false));
    }
    return list;
}

void finish_scan(::PlannerInfo* root, const RemoteRelation& relation, ::CustomScan* scan) {
    ::Query* query = query_over(relation);
    bool binary = true;
    for (int i = 0; i < ::list_length(relation.columns); ++i) {
        auto* column = static_cast<::Expr*>(::list_nth(relation.columns, i));
        Oid type = ::exprType(reinterpret_cast<::Node*>(column));
        if (pg::has_local_value_type(type) && ::get_typtype(type) == TYPTYPE_PSEUDO) {
            refuse_statement("a statement over several nodes",
                             "it needs a value of an anonymous row type from a node",
                             "Use the row's columns instead of the whole row.");
        }
        binary = binary && pg::binary_is_portable(type);
        query->targetList = ::lappend(
            query->targetList,
            ::makeTargetEntry(reinterpret_cast<::Expr*>(moved_expression(relation, column)),
                              static_cast<::AttrNumber>(i + 1), ::psprintf("c%d", i + 1), false));
    }
    add_order(relation, query);
    RemoteText text = deparse(query, "");
    executor::RemotePlan plan;
    plan.text = text.text;
    plan.plan_id = executor::new_plan_id();
    plan.binary = binary;
    ::Node* keys = describe_fragment(relation, &plan);
    plan.repeatable = is_repeatable(query);
    plan.sort = sort_columns(relation);
    scan->custom_private = executor::to_list(plan);
    scan->custom_exprs = executor::expressions_of(
        plan, keys, with_arguments(text.parameters, root->simple_rte_array[relation.rti]));
}

}  // namespace herd::planner
