#include "planner/insert_plan.hpp"

#include <cstring>

#include "base/sqlstate.hpp"
#include "executor/checked_statement.hpp"
#include "executor/insert_plan_data.hpp"
#include "executor/remote_plan.hpp"
#include "pg/compat.hpp"
#include "pg/guard.hpp"
#include "pg/wire_types.hpp"
#include "planner/conflict_plan.hpp"
#include "planner/deparse.hpp"
#include "planner/fragment.hpp"
#include "planner/insert_copy.hpp"
#include "planner/insert_divide.hpp"
#include "planner/insert_policies.hpp"
#include "planner/insert_select.hpp"
#include "planner/returned_rows.hpp"
#include "planner/shippable.hpp"
#include "planner/view_checks.hpp"
#include "planner/with_plan.hpp"

extern "C" {
#include "access/sysattr.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace herd::planner {

namespace {

void refuse_insert(const char* reason, const char* hint) {
    refuse_statement("INSERT", reason, hint);
}

bool find_other_table(::Node* node, void* argument) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        auto* rte = reinterpret_cast<::RangeTblEntry*>(node);
        if (rte->rtekind == RTE_CTE || rte->rtekind == RTE_NAMEDTUPLESTORE) {
            return true;  // most likely of the INSERT's own WITH
        }
        if (rte->rtekind != RTE_RELATION || rte->relkind == RELKIND_VIEW) {
            return false;
        }
        const catalog::Table* table =
            static_cast<const catalog::Catalog*>(argument)->find(rte->relid);
        return table == nullptr || table->kind != TableKind::kReference;
    }
    if (IsA(node, Query)) {
        return pg::compat::walk_query(reinterpret_cast<::Query*>(node), find_other_table, argument,
                                      QTW_EXAMINE_RTES_BEFORE);
    }
    return pg::compat::walk_expression(node, find_other_table, argument);
}

void check_conflict(const ::Query* query, const catalog::Table& target) {
    const ::OnConflictExpr* conflict = query->onConflict;
    if (conflict == nullptr) {
        return;
    }
    for (int i = 0; i < ::list_length(conflict->onConflictSet); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(conflict->onConflictSet, i));
        if (!entry->resjunk && target.key_attnum != 0 && entry->resno == target.key_attnum) {
            ereport(ERROR, (errcode(sqlstate::kKeyUpdate.code),
                            errmsg("ON CONFLICT cannot update the distribution key \"%s\"",
                                   entry->resname),
                            errhint("Leave the key out of the SET list: it is equal anyway.")));
        }
    }
}

// INSERT INTO t AS x DEFAULT VALUES ON CONFLICT ... RETURNING ...
::Query* query_of_texts(const ::Query* original) {
    auto* query = static_cast<::Query*>(copyObjectImpl(original));
    query->targetList = NIL;
    query->cteList = NIL;
    query->override = OVERRIDING_NOT_SET;
    query->jointree = ::makeFromExpr(NIL, nullptr);
    if (query->onConflict != nullptr && query->onConflict->action == ONCONFLICT_UPDATE) {
        query->onConflict->onConflictWhere =
            conflict_condition(query->onConflict->onConflictWhere, query->withCheckOptions);
    }
    query->withCheckOptions = NIL;
    for (int i = 0; i < ::list_length(query->rtable); ++i) {
        auto* rte = static_cast<::RangeTblEntry*>(::list_nth(query->rtable, i));
        bool is_excluded = query->onConflict != nullptr && query->onConflict->exclRelIndex == i + 1;
        if (query->resultRelation != i + 1 && !is_excluded) {
            // Its name would make the deparser give others new ones.
            rte->rtekind = RTE_RESULT;
            rte->subquery = nullptr;
            rte->values_lists = NIL;
            rte->alias = nullptr;
            rte->eref = ::makeAlias("*RESULT*", NIL);
        }
    }
    return query;
}

const char* find_values(const RemoteText& text) {
    const char* found = std::strstr(text.text, "DEFAULT VALUES");
    if (found == nullptr) {
        elog(ERROR, "unexpected text of an INSERT: %s", text.text);
    }
    return found;
}

::List* fill_texts(const ::Query* original, executor::InsertPlan& plan) {
    ::Query* query = query_of_texts(original);
    RemoteText text = deparse(query, "");
    const char* values = find_values(text);
    plan.head = ::psprintf("%s%.*s", plan.checked ? ::psprintf("%s ", executor::kCheckedMark) : "",
                           static_cast<int>(values - text.text), text.text);
    plan.tail = ::pstrdup(values + std::strlen("DEFAULT VALUES"));
    ::OnConflictExpr* conflict = query->onConflict;
    if (conflict != nullptr && conflict->action == ONCONFLICT_UPDATE && plan.keeps == 0) {
        // Without parameters of its own: the others keep their numbers.
        conflict->onConflictWhere =
            other_row_condition(conflict->onConflictWhere, query->resultRelation);
        plan.again = ::pstrdup(find_values(deparse(query, "")) + std::strlen("DEFAULT VALUES"));
    }
    return text.parameters;
}

void fill_columns(const ::Query* query, executor::InsertPlan& plan) {
    ::Relation relation = ::table_open(plan.relid, NoLock);
    ::TupleDesc description = RelationGetDescr(relation);
    plan.table = ::pstrdup(RelationGetRelationName(relation));
    for (int i = 0; i < description->natts; ++i) {
        ::Form_pg_attribute attribute = TupleDescAttr(description, i);
        if (attribute->attisdropped || attribute->attgenerated != '\0') {
            continue;
        }
        plan.columns = ::lappend_int(plan.columns, attribute->attnum);
        plan.column_names =
            ::lappend(plan.column_names,
                      ::makeString(::pstrdup(::quote_identifier(NameStr(attribute->attname)))));
        bool builtin = attribute->atttypid < FirstNormalObjectId;
        plan.casts = ::lappend(
            plan.casts, ::makeString(builtin ? ::pstrdup("")
                                             : ::psprintf("::%s", ::format_type_be_qualified(
                                                                      attribute->atttypid))));
        plan.types = ::lappend_oid(plan.types, attribute->atttypid);
    }
    plan.copy = copy_instead(query, relation, plan);
    ::table_close(relation, NoLock);
}

bool returns_binary(const ::Query* query) {
    for (int i = 0; i < ::list_length(query->returningList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(query->returningList, i));
        Oid type = ::exprType(reinterpret_cast<::Node*>(entry->expr));
        if (!entry->resjunk && !pg::binary_is_portable(type)) {
            return false;
        }
    }
    return true;
}

bool returns_anonymous_row(const ::Query* query) {
    for (int i = 0; i < ::list_length(query->returningList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(query->returningList, i));
        Oid type = ::exprType(reinterpret_cast<::Node*>(entry->expr));
        if (!entry->resjunk && pg::has_local_value_type(type) &&
            ::get_typtype(type) == TYPTYPE_PSEUDO) {
            return true;
        }
    }
    return false;
}

// What RETURNING has beside the names of tables, which nodes know.
::Node* returned_values(const ::Query* query) {
    ::List* values = NIL;
    for (int i = 0; i < ::list_length(query->returningList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(query->returningList, i));
        values = is_table_name(entry->expr) ? values : ::lappend(values, entry);
    }
    return reinterpret_cast<::Node*>(values);
}

}  // namespace

bool reads_other_tables(const catalog::Catalog& herd, ::Node* node) {
    return find_other_table(node, const_cast<catalog::Catalog*>(&herd));
}

const char* why_not_on_nodes(const catalog::Catalog& herd, ::Node* part,
                             const catalog::Table& target) {
    if (part == nullptr) {
        return nullptr;
    }
    if (::checkExprHasSubLink(part) && reads_other_tables(herd, part)) {
        return "a subquery reads more than reference tables";
    }
    const char* offender = why_not_shippable(part, false);
    if (offender != nullptr) {
        return ::psprintf("%s can't be evaluated on the nodes", offender);
    }
    if (target.kind == TableKind::kReference && ::contain_volatile_functions(part)) {
        return "a volatile function would give another value on each node";
    }
    ::List* vars = ::pull_var_clause(
        part, PVC_RECURSE_AGGREGATES | PVC_RECURSE_WINDOWFUNCS | PVC_RECURSE_PLACEHOLDERS);
    for (int i = 0; i < ::list_length(vars); ++i) {
        if (static_cast<::Var*>(::list_nth(vars, i))->varattno == TableOidAttributeNumber) {
            return "tableoid differs from node to node";
        }
    }
    return nullptr;
}

::PlannedStmt* plan_insert(const catalog::Catalog& herd, const PlanRequest& request,
                           const catalog::Table& target) {
    const ::Query* query = request.query;
    check_conflict(query, target);
    if (why_conflicts_here(herd, query, target) != nullptr) {
        return plan_conflicts_here(herd, request, target);
    }
    bool policies = insert_policy_place(herd, query, target) == PolicyPlace::kAfterwards;
    if (policies || views_look_at_stored_row(query, target)) {
        return plan_checks_afterwards(herd, request, policies);
    }
    if (returns_anonymous_row(query) ||
        why_not_on_nodes(herd, returned_values(query), target) != nullptr) {
        return plan_returning_here(herd, request);
    }
    if (target.kind == TableKind::kDistributed && !request.policies_applied) {
        KeyGraph* graph = build_key_graph(herd, request.query);
        ::PlannedStmt* whole = inserts_from_query(query)
                                   ? plan_insert_on_nodes(request, target, *graph)
                                   : plan_insert_of_one(request, target, *graph);
        if (whole != nullptr) {
            return whole;
        }
    }
    return plan_insert_rows(herd, request, target, 0);
}

::PlannedStmt* plan_insert_rows(const catalog::Catalog& herd, const PlanRequest& request,
                                const catalog::Table& target, int keeps) {
    const ::Query* query = request.query;
    executor::InsertPlan plan;
    plan.plan_id = static_cast<int>(executor::new_plan_id());
    (void)executor::new_plan_id();
    (void)executor::new_plan_id();
    plan.keeps = keeps;
    plan.relid = target.relid;
    plan.checked =
        request.policies_applied || insert_policy_place(herd, query, target) == PolicyPlace::kHere;
    ::List* parameters = fill_texts(query, plan);
    fill_columns(query, plan);
    plan.role = rt_fetch(query->resultRelation, query->rtable)->checkAsUser;
    plan.sets_tag = query->canSetTag;
    plan.binary = returns_binary(query);
    if (target.kind == TableKind::kDistributed) {
        plan.group_id = target.group->id.value;
        plan.key = target.key_attnum;
        plan.key_type = ::get_atttype(target.relid, target.key_attnum);
        plan.key_collation = target.group->key_collation;
    }
    auto* copy = static_cast<::Query*>(copyObjectImpl(query));
    Rewrite rewrite = {&herd, NIL, NIL, request.parameters, NIL};
    rewrite_into_fragments(rewrite, copy);
    // What the source reads on a node it may read between two batches of rows that go there.
    plan.several = one_of_several() || rewrite.fragments != NIL;
    ::PlannedStmt* statement = nullptr;
    bool was_part = set_part_of_larger(plan.several);
    pg::run_finally([&] { statement = plan_rewritten(rewrite, request, copy); },
                    [&] { (void)set_part_of_larger(was_part); });
    if (!IsA(statement->planTree, ModifyTable)) {
        refuse_insert("its plan is not a plain INSERT", "Insert in a statement of its own.");
    }
    auto* modify = reinterpret_cast<::ModifyTable*>(statement->planTree);
    ::List* checks = modify->withCheckOptionLists == NIL
                         ? NIL
                         : static_cast<::List*>(linitial(modify->withCheckOptionLists));
    if (checks == NIL && statement->subplans == NIL) {
        divide_by_nodes(modify, target, plan);
    }
    executor::wrap_insert(statement, plan, parameters, checks);
    return statement;
}

}  // namespace herd::planner
