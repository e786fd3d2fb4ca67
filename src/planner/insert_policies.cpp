#include "planner/insert_policies.hpp"

#include "catalog/own_row.hpp"
#include "planner/fragment_parts.hpp"
#include "planner/insert_plan.hpp"

extern "C" {
#include "access/sysattr.h"
#include "access/table.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/rel.h"
}

namespace herd::planner {

namespace {

::List* policies_of(const ::Query* insert) {
    ::List* policies = NIL;
    for (int i = 0; i < ::list_length(insert->withCheckOptions); ++i) {
        auto* option = static_cast<::WithCheckOption*>(::list_nth(insert->withCheckOptions, i));
        if (option->kind == WCO_RLS_INSERT_CHECK || option->kind == WCO_RLS_UPDATE_CHECK ||
            option->kind == WCO_RLS_CONFLICT_CHECK) {
            policies = ::lappend(policies, option->qual);
        }
    }
    return policies;
}

// SELECT FROM the target WHERE the policies
::Query* rows_that_meet(const ::Query* insert, const ::List* policies) {
    auto* rte = static_cast<::RangeTblEntry*>(
        copyObjectImpl(rt_fetch(insert->resultRelation, insert->rtable)));
    rte->securityQuals = NIL;
    auto* conditions = static_cast<::List*>(copyObjectImpl(policies));
    ::ChangeVarNodes(reinterpret_cast<::Node*>(conditions), insert->resultRelation, 1, 0);
    ::Query* query = select_from(rte);
    query->jointree->quals = reinterpret_cast<::Node*>(::make_ands_explicit(conditions));
    query->hasSubLinks = true;
    return query;
}

// Whether a row's key decides which rows the policies look at.
bool look_at_own_rows(const catalog::Catalog& herd, const ::Query* insert, const ::List* policies) {
    ::Query* query = rows_that_meet(insert, policies);
    KeyGraph* graph = build_key_graph(herd, query);
    const DistributedRef* target = nullptr;
    for (int i = 0; i < ::list_length(graph->refs); ++i) {
        auto* ref = static_cast<DistributedRef*>(::list_nth(graph->refs, i));
        target = ref->level == query ? ref : target;
    }
    for (int i = 0; target != nullptr && i < ::list_length(graph->refs); ++i) {
        auto* ref = static_cast<DistributedRef*>(::list_nth(graph->refs, i));
        if (ref->table->group != target->table->group ||
            !reaches(*graph, target->key_node, ref->key_node)) {
            return false;
        }
    }
    return target != nullptr && !graph->has_local;
}

// Whether what the policies look at may differ from the row as it is sent: generated columns, and
// what BEFORE triggers make of it, are known where the row is stored.
bool look_at_stored_row(const ::Query* insert, ::List* policies, Oid relid) {
    if (catalog::triggers_may_change_rows(relid)) {
        return true;
    }
    ::Bitmapset* columns = nullptr;
    ::pull_varattnos(reinterpret_cast<::Node*>(policies),
                     static_cast<::Index>(insert->resultRelation), &columns);
    bool whole_row = ::bms_is_member(-FirstLowInvalidHeapAttributeNumber, columns);
    ::Relation relation = ::table_open(relid, NoLock);
    ::TupleDesc description = RelationGetDescr(relation);
    bool found = false;
    for (int i = 0; i < description->natts && !found; ++i) {
        found = TupleDescAttr(description, i)->attgenerated != '\0' &&
                (whole_row || ::bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, columns));
    }
    ::table_close(relation, NoLock);
    return found;
}

}  // namespace

PolicyPlace insert_policy_place(const catalog::Catalog& herd, const ::Query* insert,
                                const catalog::Table& target) {
    ::List* policies = policies_of(insert);
    if (!reads_other_tables(herd, reinterpret_cast<::Node*>(policies)) ||
        (target.kind == TableKind::kDistributed && look_at_own_rows(herd, insert, policies))) {
        return PolicyPlace::kNodes;
    }
    bool afterwards = look_at_stored_row(insert, policies, target.relid);
    const ::OnConflictExpr* conflict = insert->onConflict;
    if (conflict != nullptr && (afterwards || conflict->action == ONCONFLICT_UPDATE)) {
        refuse_statement("INSERT",
                         afterwards ? "ON CONFLICT, and row security policies that read rows of "
                                      "other nodes for a row that its node completes"
                                    : "ON CONFLICT DO UPDATE, and row security policies that read "
                                      "rows of other nodes",
                         "Let the policies read the row itself, rows with its distribution key, "
                         "settings and reference tables; or use INSERT and UPDATE.");
    }
    return afterwards ? PolicyPlace::kAfterwards : PolicyPlace::kHere;
}

bool views_look_at_stored_row(const ::Query* insert, const catalog::Table& target) {
    ::List* conditions = NIL;
    for (int i = 0; i < ::list_length(insert->withCheckOptions); ++i) {
        auto* option = static_cast<::WithCheckOption*>(::list_nth(insert->withCheckOptions, i));
        if (option->kind == WCO_VIEW_CHECK && option->qual != nullptr) {
            conditions = ::lappend(conditions, option->qual);
        }
    }
    return conditions != NIL && look_at_stored_row(insert, conditions, target.relid);
}

}  // namespace herd::planner
