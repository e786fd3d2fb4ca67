#include "planner/conflict_query.hpp"

#include "executor/kept_conflicts.hpp"
#include "pg/compat.hpp"
#include "planner/fragment_parts.hpp"
#include "planner/view_checks.hpp"

extern "C" {
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_func.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace herd::planner {

namespace {

// The columns of what was kept: then come the table's columns twice, as found and as proposed.
enum KeptColumn : int { kKeptNode = 1, kKeptPlace, kKeptPart, kKeptFound, kKeptProposed };
constexpr int kBeforeRows = kKeptPart;

Oid herd_function(const char* name, int count, const Oid* arguments) {
    ::List* full = ::list_make2(::makeString(::pstrdup("herd")), ::makeString(::pstrdup(name)));
    return ::LookupFuncName(full, count, arguments, false);
}

::Expr* plan_number(std::int64_t number) {
    return reinterpret_cast<::Expr*>(::makeConst(INT8OID, -1, InvalidOid, sizeof(int64),
                                                 Int64GetDatum(number), false, FLOAT8PASSBYVAL));
}

::Expr* system_column(int rti, int column, Oid type) {
    return reinterpret_cast<::Expr*>(
        ::makeVar(rti, static_cast<::AttrNumber>(column), type, -1, InvalidOid, 0));
}

::Expr* whole_row(int rti, Oid row_type) {
    return reinterpret_cast<::Expr*>(::makeVar(rti, 0, row_type, -1, InvalidOid, 0));
}

Oid target_relid(const ::Query* insert) {
    return rt_fetch(insert->resultRelation, insert->rtable)->relid;
}

::Node* call_keep_conflict(const ::Query* insert, std::int64_t number) {
    const Oid types[] = {INT8OID, TIDOID, OIDOID, RECORDOID, RECORDOID, XIDOID};
    Oid row_type = ::get_rel_type_id(target_relid(insert));
    int rti = insert->resultRelation;
    ::List* arguments = ::list_make5(
        plan_number(number), system_column(rti, SelfItemPointerAttributeNumber, TIDOID),
        system_column(rti, TableOidAttributeNumber, OIDOID), whole_row(rti, row_type),
        whole_row(insert->onConflict->exclRelIndex, row_type));
    arguments = ::lappend(arguments, system_column(rti, MinTransactionIdAttributeNumber, XIDOID));
    auto* call = ::makeFuncExpr(herd_function("keep_conflict", lengthof(types), types), BOOLOID,
                                arguments, InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
    call->location = executor::kOfOwnPlan;
    return reinterpret_cast<::Node*>(call);
}

// Every column that DO UPDATE assigns gets its own value: rows are locked as they would be.
::List* own_values(const ::Query* insert) {
    ::List* list = NIL;
    ::Relation relation = ::table_open(target_relid(insert), NoLock);
    const ::List* assigned = insert->onConflict->onConflictSet;
    for (int i = 0; i < ::list_length(assigned); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(assigned, i));
        if (entry->resjunk) {
            continue;
        }
        ::Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), entry->resno - 1);
        if (attribute->attidentity == ATTRIBUTE_IDENTITY_ALWAYS) {
            continue;  // takes nothing but DEFAULT
        }
        auto* value = ::makeVar(insert->resultRelation, entry->resno, attribute->atttypid,
                                attribute->atttypmod, attribute->attcollation, 0);
        list = ::lappend(list, ::makeTargetEntry(reinterpret_cast<::Expr*>(value), entry->resno,
                                                 ::pstrdup(NameStr(attribute->attname)), false));
    }
    ::table_close(relation, NoLock);
    if (list == NIL) {
        refuse_statement("INSERT", "ON CONFLICT assigns nothing but a GENERATED ALWAYS identity",
                         "Assign another column as well.");
    }
    return list;
}

// ---- what was kept ------------------------------------------------------------------------------

// FROM herd.kept_conflicts(number) k(node, place, part, found, proposed)
::RangeTblEntry* function_entry(std::int64_t number, Oid row_type) {
    const char* names[] = {"node", "place", "part", "found", "proposed"};
    const Oid types[] = {INT4OID, TIDOID, REGCLASSOID, row_type, row_type};
    const Oid argument = INT8OID;
    auto* function = makeNode(RangeTblFunction);
    auto* call = ::makeFuncExpr(herd_function("kept_conflicts", 1, &argument), RECORDOID,
                                ::list_make1(plan_number(number)), InvalidOid, InvalidOid,
                                COERCE_EXPLICIT_CALL);
    call->funcretset = true;
    call->location = executor::kOfOwnPlan;
    function->funcexpr = reinterpret_cast<::Node*>(call);
    function->funccolcount = lengthof(types);
    for (int i = 0; i < function->funccolcount; ++i) {
        function->funccolnames =
            ::lappend(function->funccolnames, ::makeString(::pstrdup(names[i])));
        function->funccoltypes = ::lappend_oid(function->funccoltypes, types[i]);
        function->funccoltypmods = ::lappend_int(function->funccoltypmods, -1);
        function->funccolcollations = ::lappend_oid(function->funccolcollations, InvalidOid);
    }
    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_FUNCTION;
    rte->functions = ::list_make1(function);
    rte->alias = ::makeAlias("k", NIL);
    rte->eref = ::makeAlias("k", static_cast<::List*>(copyObjectImpl(function->funccolnames)));
    rte->inFromCl = true;
    return rte;
}

void add_column(::RangeTblEntry* rte, ::Expr* expression) {
    ::List** list = &rte->subquery->targetList;
    auto position = static_cast<::AttrNumber>(::list_length(*list) + 1);
    char* name = ::psprintf("c%d", position);
    *list = ::lappend(*list, ::makeTargetEntry(expression, position, name, false));
    rte->eref->colnames = ::lappend(rte->eref->colnames, ::makeString(name));
}

// SELECT node, place, part, (found).*, (proposed).* FROM what was kept
::RangeTblEntry* kept_entry(std::int64_t number, Oid relid) {
    Oid row_type = ::get_rel_type_id(relid);
    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_SUBQUERY;
    rte->subquery = select_from(function_entry(number, row_type));
    rte->eref = ::makeAlias("kept", NIL);
    rte->inFromCl = true;
    add_column(rte, system_column(1, kKeptNode, INT4OID));
    add_column(rte, system_column(1, kKeptPlace, TIDOID));
    add_column(rte, reinterpret_cast<::Expr*>(
                        ::makeRelabelType(system_column(1, kKeptPart, REGCLASSOID), OIDOID, -1,
                                          InvalidOid, COERCE_IMPLICIT_CAST)));
    ::Relation relation = ::table_open(relid, NoLock);
    ::TupleDesc description = RelationGetDescr(relation);
    for (int row : {kKeptFound, kKeptProposed}) {
        for (int i = 0; i < description->natts; ++i) {
            ::Form_pg_attribute attribute = TupleDescAttr(description, i);
            if (attribute->attisdropped) {
                add_column(rte,
                           reinterpret_cast<::Expr*>(::makeNullConst(INT4OID, -1, InvalidOid)));
                continue;
            }
            auto* field = makeNode(FieldSelect);
            field->arg = system_column(1, row, row_type);
            field->fieldnum = attribute->attnum;
            field->resulttype = attribute->atttypid;
            field->resulttypmod = attribute->atttypmod;
            field->resultcollid = attribute->attcollation;
            add_column(rte, reinterpret_cast<::Expr*>(field));
        }
    }
    ::table_close(relation, NoLock);
    return rte;
}

// ---- the statement's expressions over what was kept ---------------------------------------------

struct Kept {
    int target;
    int excluded;
    int level;
    Oid relid;
    int columns;  // of the table
};

::Node* kept_column(const Kept& kept, int position, const ::Var* like) {
    return reinterpret_cast<::Node*>(::makeVar(kept.target, static_cast<::AttrNumber>(position),
                                               like->vartype, like->vartypmod, like->varcollid,
                                               like->varlevelsup));
}

::Node* kept_row(const Kept& kept, const ::Var* whole, int offset) {
    auto* row = makeNode(RowExpr);
    row->row_typeid = whole->vartype;
    row->row_format = COERCE_IMPLICIT_CAST;
    row->location = -1;
    ::Relation relation = ::table_open(kept.relid, NoLock);
    for (int i = 0; i < kept.columns; ++i) {
        ::Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), i);
        Oid type = attribute->attisdropped ? INT4OID : attribute->atttypid;
        row->args = ::lappend(
            row->args, ::makeVar(kept.target, static_cast<::AttrNumber>(offset + i + 1), type,
                                 attribute->attisdropped ? -1 : attribute->atttypmod,
                                 attribute->attisdropped ? InvalidOid : attribute->attcollation,
                                 whole->varlevelsup));
        row->colnames =
            ::lappend(row->colnames, ::makeString(::pstrdup(NameStr(attribute->attname))));
    }
    ::table_close(relation, NoLock);
    return reinterpret_cast<::Node*>(row);
}

::Node* kept_value(const Kept& kept, const ::Var* var) {
    int offset = kBeforeRows + (var->varno == kept.excluded ? kept.columns : 0);
    if (var->varattno == 0) {
        return kept_row(kept, var, offset);
    }
    if (var->varattno > 0) {
        return kept_column(kept, offset + var->varattno, var);
    }
    switch (var->varattno) {
        case kNodeColumn:
            return kept_column(kept, kKeptNode, var);
        case SelfItemPointerAttributeNumber:
            return kept_column(kept, kKeptPlace, var);
        case TableOidAttributeNumber:
            return kept_column(kept, kKeptPart, var);
        default:
            refuse_statement("INSERT", "ON CONFLICT reads a system column of the row in the way",
                             "Compare ordinary columns.");
    }
}

::Node* read_kept(::Node* node, void* argument) {
    auto& kept = *static_cast<Kept*>(argument);
    if (node == nullptr) {
        return nullptr;
    }
    if (IsA(node, Var)) {
        auto* var = reinterpret_cast<::Var*>(node);
        bool is_kept = static_cast<int>(var->varlevelsup) == kept.level &&
                       (var->varno == kept.target || var->varno == kept.excluded);
        return is_kept ? kept_value(kept, var) : static_cast<::Node*>(copyObjectImpl(node));
    }
    if (IsA(node, Query)) {
        ++kept.level;
        ::Query* query =
            pg::compat::mutate_query(reinterpret_cast<::Query*>(node), read_kept, argument, 0);
        --kept.level;
        return reinterpret_cast<::Node*>(query);
    }
    return pg::compat::mutate_expression(node, read_kept, argument);
}

// UPDATE target SET ... WHERE ..., over the INSERT's own entries.
::Query* as_update(const ::Query* insert, const Returned* returned) {
    auto* update = static_cast<::Query*>(copyObjectImpl(insert));
    ::OnConflictExpr* conflict = update->onConflict;
    update->commandType = CMD_UPDATE;
    update->targetList = conflict->onConflictSet;
    auto* reference = makeNode(RangeTblRef);
    reference->rtindex = update->resultRelation;
    update->jointree =
        ::makeFromExpr(::list_make1(reference),
                       policy_condition(conflict->onConflictWhere, update->withCheckOptions));
    update->onConflict = nullptr;
    update->override = OVERRIDING_NOT_SET;
    update->cteList = NIL;
    update->returningList = returned == nullptr ? NIL : target_list_of(*returned);
    update->hasSubLinks = ::checkExprHasSubLink(reinterpret_cast<::Node*>(update->targetList)) ||
                          ::checkExprHasSubLink(update->jointree->quals);
    for (int i = 0; i < ::list_length(update->rtable); ++i) {
        auto* rte = static_cast<::RangeTblEntry*>(::list_nth(update->rtable, i));
        if (update->resultRelation != i + 1) {
            rte->rtekind = RTE_RESULT;
            rte->relid = InvalidOid;
            rte->subquery = nullptr;
            rte->values_lists = NIL;
            rte->functions = NIL;
            rte->requiredPerms = 0;
            rte->alias = nullptr;
            rte->eref = ::makeAlias("*RESULT*", NIL);
        }
    }
    return update;
}

void add_assignments(Changes& changes) {
    auto* action = static_cast<executor::ModifyAction*>(::palloc0(sizeof(executor::ModifyAction)));
    action->command = CMD_UPDATE;
    changes.plan.actions = ::list_make1(action);
    for (int i = 0; i < ::list_length(changes.query->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(changes.query->targetList, i));
        if (!entry->resjunk) {
            action->columns = ::lappend_int(action->columns, entry->resno);
            action->sources = ::lappend_int(action->sources, add_output(changes, entry->expr));
        }
    }
    add_arrival(changes, *action);
}

}  // namespace

::Query* insert_keeping(const ::Query* insert, std::int64_t number, const Returned* returned) {
    auto* copy = static_cast<::Query*>(copyObjectImpl(insert));
    copy->onConflict->onConflictSet = own_values(copy);
    copy->onConflict->onConflictWhere = call_keep_conflict(copy, number);
    copy->returningList = returned == nullptr ? NIL : target_list_of(*returned);
    return copy;
}

::Query* update_kept(Rewrite& rewrite, const ::Query* insert, const catalog::Table& target,
                     std::int64_t number, const Returned* returned) {
    ::Query* update = as_update(insert, returned);
    Changes changes = {rewrite.herd, &target, update, update->resultRelation, NIL, {}, nullptr};
    ::RangeTblEntry* rte = rt_fetch(changes.rti, update->rtable);
    changes.plan.relid = target.relid;
    changes.plan.role = rte->checkAsUser;
    changes.plan.only_once = true;
    if (target.kind == TableKind::kDistributed) {
        changes.plan.group_id = target.group->id.value;
        changes.plan.key = target.key_attnum;
        changes.plan.key_collation = target.group->key_collation;
    }
    add_place(changes);
    add_assignments(changes);
    ::Query* outer = over_changes(rewrite, changes);
    Kept kept = {changes.rti, insert->onConflict->exclRelIndex, 0, target.relid, 0};
    ::Relation relation = ::table_open(target.relid, NoLock);
    kept.columns = RelationGetNumberOfAttributes(relation);
    ::table_close(relation, NoLock);
    ::Query* inner = pg::compat::mutate_query(changes.query, read_kept, &kept, 0);
    lfirst(list_nth_cell(inner->rtable, kept.target - 1)) = kept_entry(number, target.relid);
    static_cast<::RangeTblEntry*>(linitial(outer->rtable))->subquery = inner;
    return outer;
}

}  // namespace herd::planner
