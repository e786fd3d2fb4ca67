#include "planner/modify_query.hpp"

#include "pg/compat.hpp"
#include "planner/fragment_parts.hpp"
#include "planner/row_identity.hpp"
#include "planner/view_checks.hpp"

extern "C" {
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
}

namespace herd::planner {

namespace {

int next_id = 0;

::Var* system_var(int rti, int column, Oid type) {
    return ::makeVar(rti, static_cast<::AttrNumber>(column), type, -1, InvalidOid, 0);
}

::Expr* number(int value) {
    return reinterpret_cast<::Expr*>(
        ::makeConst(INT4OID, -1, InvalidOid, sizeof(int32), Int32GetDatum(value), false, true));
}

// ---- the target ---------------------------------------------------------------------------------

bool has_before_trigger(const ::TriggerDesc* triggers) {
    return triggers != nullptr &&
           (triggers->trig_insert_before_row || triggers->trig_update_before_row ||
            triggers->trig_delete_before_row);
}

// A reference table's rows have other places on every node: its key says which they are, or all
// their values.
void add_identity(Changes& changes, ::Relation relation) {
    ::Bitmapset* key = row_identity(relation, &changes.plan.by_row);
    int member = -1;
    while ((member = ::bms_next_member(key, member)) >= 0) {
        auto column = static_cast<::AttrNumber>(member + FirstLowInvalidHeapAttributeNumber);
        changes.plan.identity = ::lappend_int(changes.plan.identity, column);
        changes.plan.identity_sources = ::lappend_int(
            changes.plan.identity_sources,
            add_output(changes, over_source(changes, reinterpret_cast<::Expr*>(
                                                         target_column(changes, column)))));
    }
}

bool changes_key_columns(const Changes& changes, ::Relation relation) {
    ::Bitmapset* keys = ::RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_KEY);
    for (int i = 0; i < ::list_length(changes.plan.actions); ++i) {
        auto* action = static_cast<executor::ModifyAction*>(::list_nth(changes.plan.actions, i));
        if (action->command == CMD_DELETE || action->moved != 0) {
            return true;
        }
        for (int c = 0; action->command == CMD_UPDATE && c < ::list_length(action->columns); ++c) {
            int column = list_nth_int(action->columns, c);
            if (::bms_is_member(column - FirstLowInvalidHeapAttributeNumber, keys)) {
                return true;
            }
        }
    }
    return false;
}

// UPDATE gives a GENERATED ALWAYS identity only what its server draws.
bool assigns_identity(const Changes& changes, const executor::ModifyAction& update) {
    ::Relation relation = ::table_open(changes.target->relid, NoLock);
    bool assigns = false;
    for (int i = 0; i < ::list_length(update.columns); ++i) {
        int column = list_nth_int(update.columns, i);
        assigns = assigns || TupleDescAttr(RelationGetDescr(relation), column - 1)->attidentity ==
                                 ATTRIBUTE_IDENTITY_ALWAYS;
    }
    ::table_close(relation, NoLock);
    return assigns;
}

void add_actions(Changes& changes) {
    auto* action = static_cast<executor::ModifyAction*>(::palloc0(sizeof(executor::ModifyAction)));
    action->command = changes.query->commandType;
    changes.plan.actions = ::list_make1(action);
    for (int i = 0; i < ::list_length(changes.query->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(changes.query->targetList, i));
        if (!entry->resjunk && action->command == CMD_UPDATE) {
            action->columns = ::lappend_int(action->columns, entry->resno);
            action->sources = ::lappend_int(action->sources, add_output(changes, entry->expr));
        }
    }
    add_arrival(changes, *action);
}

}  // namespace

void lock_target(const Changes& changes, ::Query* query) {
    ::Relation relation = ::table_open(changes.target->relid, NoLock);
    auto* mark = makeNode(RowMarkClause);
    mark->rti = static_cast<::Index>(changes.rti);
    mark->strength = changes_key_columns(changes, relation) ? LCS_FORUPDATE : LCS_FORNOKEYUPDATE;
    mark->waitPolicy = LockWaitBlock;
    mark->pushedDown = false;
    ::table_close(relation, NoLock);
    query->rowMarks = ::list_make1(mark);
    query->hasForUpdate = true;
}

::List* insertable_columns(const Changes& changes) {
    ::List* columns = NIL;
    ::Relation relation = ::table_open(changes.target->relid, NoLock);
    ::TupleDesc description = RelationGetDescr(relation);
    for (int i = 0; i < description->natts; ++i) {
        ::Form_pg_attribute attribute = TupleDescAttr(description, i);
        if (!attribute->attisdropped && attribute->attgenerated == '\0') {
            columns = ::lappend_int(columns, attribute->attnum);
        }
    }
    ::table_close(relation, NoLock);
    return columns;
}

void add_arrival(Changes& changes, executor::ModifyAction& update) {
    if (update.command != CMD_UPDATE) {
        return;
    }
    bool assigns_key = changes.target->kind == TableKind::kDistributed &&
                       ::list_member_int(update.columns, changes.target->key_attnum);
    update.moves_all = assigns_identity(changes, update);
    if (!assigns_key && !update.moves_all) {
        return;
    }
    auto* insert = static_cast<executor::ModifyAction*>(::palloc0(sizeof(executor::ModifyAction)));
    insert->command = CMD_INSERT;
    insert->columns = insertable_columns(changes);
    for (int i = 0; i < ::list_length(insert->columns); ++i) {
        int column = list_nth_int(insert->columns, i);
        int source = 0;
        for (int u = 0; u < ::list_length(update.columns); ++u) {
            if (list_nth_int(update.columns, u) == column) {
                source = list_nth_int(update.sources, u);
            }
        }
        if (source == 0) {
            auto* old = target_column(changes, static_cast<::AttrNumber>(column));
            source = add_output(changes, over_source(changes, reinterpret_cast<::Expr*>(old)));
        }
        insert->sources = ::lappend_int(insert->sources, source);
    }
    changes.plan.actions = ::lappend(changes.plan.actions, insert);
    update.moved = ::list_length(changes.plan.actions);
}

void add_place(Changes& changes) {
    executor::ModifyPlan& plan = changes.plan;
    bool elsewhere =
        changes.target->kind == TableKind::kDistributed && !changes.target->group->all_here;
    auto add = [&](int column, Oid type) {
        auto* var = reinterpret_cast<::Expr*>(system_var(changes.rti, column, type));
        return add_output(changes, over_source(changes, var));
    };
    plan.node = elsewhere ? add(kNodeColumn, INT4OID)
                          : add_output(changes, number(changes.herd->self.value));
    plan.table = add(TableOidAttributeNumber, OIDOID);
    plan.row = add(SelfItemPointerAttributeNumber, TIDOID);
    ::Relation relation = ::table_open(changes.target->relid, NoLock);
    bool has_partitions = relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
    plan.suppresses = has_partitions || has_before_trigger(relation->trigdesc);
    if (changes.target->kind == TableKind::kReference) {
        add_identity(changes, relation);
    }
    ::table_close(relation, NoLock);
}

::Query* over_changes(Rewrite& rewrite, Changes& changes) {
    ::Query* query = changes.query;
    executor::ModifyPlan& plan = changes.plan;
    ::List* returning = after_changes(changes, query->returningList);
    ::List* options =
        plan.checked ? policy_checks(query->withCheckOptions, WCO_RLS_UPDATE_CHECK) : NIL;
    options = ::list_concat(options, view_checks(query->withCheckOptions));
    ::List* checks = changes.below == nullptr ? after_changes(changes, options)
                                              : merge_checks(changes, query->withCheckOptions);
    plan.returns = returning != NIL || checks != NIL;
    plan.sets_tag = query->canSetTag;
    // Junk: subqueries whose columns are assigned one by one.
    ::List* junk = NIL;
    for (int i = 0; i < ::list_length(query->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(query->targetList, i));
        if (entry->resjunk) {
            entry->resno =
                static_cast<::AttrNumber>(::list_length(changes.outputs) + ::list_length(junk) + 1);
            junk = ::lappend(junk, entry);
        }
    }
    ::List* names = NIL;
    for (int i = 0; i < ::list_length(changes.outputs); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(changes.outputs, i));
        // Keeps the planner from dropping columns that only HerdModify reads.
        entry->ressortgroupref = 1;
        names = ::lappend(names, ::makeString(::pstrdup(entry->resname)));
    }
    auto* modification = static_cast<Modification*>(::palloc0(sizeof(Modification)));
    modification->id = ++next_id;
    modification->columns = ::list_length(changes.outputs);
    query->targetList = ::list_concat(changes.outputs, junk);
    query->commandType = CMD_SELECT;
    query->resultRelation = 0;
    query->returningList = NIL;
    query->withCheckOptions = NIL;
    query->mergeActionList = NIL;
    // Keeps conditions that are for the changed rows above.
    query->limitOffset = reinterpret_cast<::Node*>(::makeConst(
        INT8OID, -1, InvalidOid, sizeof(int64), Int64GetDatum(0), false, FLOAT8PASSBYVAL));
    bool modifies_in_cte = query->hasModifyingCTE;
    ::List* with_queries = take_with_queries(query);
    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_SUBQUERY;
    rte->subquery = query;
    rte->eref = ::makeAlias(changes_name(*modification), names);
    ::Query* outer = select_from(rte);
    outer->targetList = returning;
    outer->jointree->quals =
        reinterpret_cast<::Node*>(checks == NIL ? nullptr : ::make_ands_explicit(checks));
    outer->cteList = with_queries;
    outer->hasModifyingCTE = modifies_in_cte;
    outer->hasRecursive = query->hasRecursive;
    outer->hasSubLinks = query->hasSubLinks;
    outer->hasRowSecurity = query->hasRowSecurity;
    outer->canSetTag = query->canSetTag;
    modification->plan = plan;
    rewrite.modifications = ::lappend(rewrite.modifications, modification);
    return outer;
}

namespace {

// Whether row security is applied here: to the rows that are read, as in any query, and to those
// that come back changed. Nodes see other commands than the client's, with policies of their own:
// rows that are locked before they are deleted, a row with another key deleted and inserted.
bool applies_policies(const Changes& changes) {
    return policies_of(changes.query) != NIL;
}

}  // namespace

::List* policies_of(const ::Query* query) {
    if (!query->hasRowSecurity) {
        return NIL;
    }
    ::List* policies = ::list_copy(rt_fetch(query->resultRelation, query->rtable)->securityQuals);
    for (int i = 0; i < ::list_length(query->withCheckOptions); ++i) {
        auto* option = static_cast<::WithCheckOption*>(::list_nth(query->withCheckOptions, i));
        if (option->kind != WCO_VIEW_CHECK) {
            policies = ::lappend(policies, option->qual);
        }
    }
    return policies;
}

const char* changes_name(const Modification& modification) {
    return ::psprintf("changes %d", modification.id);
}

::Query* select_changed(Rewrite& rewrite, ::Query* query, const catalog::Table& target) {
    Changes changes = {rewrite.herd, &target, query, query->resultRelation, NIL, {}, nullptr};
    ::RangeTblEntry* rte = rt_fetch(changes.rti, query->rtable);
    changes.plan.relid = target.relid;
    changes.plan.role = rte->checkAsUser;
    if (target.kind == TableKind::kDistributed) {
        changes.plan.group_id = target.group->id.value;
        changes.plan.key = target.key_attnum;
        changes.plan.key_collation = target.group->key_collation;
    }
    rte->inFromCl = true;
    changes.plan.checked = applies_policies(changes);
    if (query->commandType == CMD_MERGE) {
        add_merge_actions(changes);
    } else {
        add_place(changes);
        add_actions(changes);
        lock_target(changes, query);
    }
    return over_changes(rewrite, changes);
}

}  // namespace herd::planner
