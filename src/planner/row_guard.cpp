// The check is a WITH CHECK OPTION: PostgreSQL evaluates those after BEFORE triggers, for each row,
// in partitions too. It is no condition that can be false but a function that raises the error.
#include "planner/row_guard.hpp"

#include "catalog/own_row.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

Oid check_function() {
    Oid arguments[] = {REGCLASSOID, ANYOID};
    ::List* name =
        list_make2(::makeString(::pstrdup("herd")), ::makeString(::pstrdup("require_own_row")));
    return ::LookupFuncName(name, 2, arguments, false);
}

::WithCheckOption* make_check(const catalog::Table& table, int rti) {
    Oid type = InvalidOid;
    int32 typmod = -1;
    Oid collation = InvalidOid;
    ::get_atttypetypmodcoll(table.relid, table.key_attnum, &type, &typmod, &collation);
    ::Var* key = ::makeVar(rti, table.key_attnum, type, typmod, collation, 0);
    ::Const* relation = ::makeConst(REGCLASSOID, -1, InvalidOid, sizeof(Oid),
                                    ObjectIdGetDatum(table.root), false, true);
    ::FuncExpr* call = ::makeFuncExpr(check_function(), BOOLOID, list_make2(relation, key),
                                      InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
    ::WithCheckOption* check = makeNode(WithCheckOption);
    check->kind = WCO_VIEW_CHECK;
    check->relname = ::get_rel_name(table.relid);
    check->qual = reinterpret_cast<::Node*>(list_make1(call));
    return check;
}

const catalog::Table* table_of(const catalog::Catalog& herd, const ::PlannedStmt* statement,
                               int rti) {
    return herd.find(rt_fetch(rti, statement->rtable)->relid);
}

bool needs_check(const catalog::Catalog& herd, const ::PlannedStmt* statement,
                 const ::ModifyTable* modify, GuardedRows which) {
    if (modify->operation == CMD_DELETE) {
        return false;
    }
    for (int i = 0; i < ::list_length(modify->resultRelations); ++i) {
        int rti = list_nth_int(modify->resultRelations, i);
        const catalog::Table* table = table_of(herd, statement, rti);
        if (table == nullptr || table->group == nullptr || table->group->all_here) {
            return false;  // all are of one group
        }
        if (which == GuardedRows::kAll || catalog::triggers_may_change_rows(table->relid)) {
            return true;
        }
    }
    return false;
}

void guard_modify(const catalog::Catalog& herd, const ::PlannedStmt* statement,
                  ::ModifyTable* modify, GuardedRows which) {
    if (!needs_check(herd, statement, modify, which)) {
        return;
    }
    ::List* lists = NIL;
    for (int i = 0; i < ::list_length(modify->resultRelations); ++i) {
        int rti = list_nth_int(modify->resultRelations, i);
        // A copy: others may hold the list of checks that the statement itself has.
        ::List* checks =
            modify->withCheckOptionLists == NIL
                ? NIL
                : ::list_copy(static_cast<::List*>(::list_nth(modify->withCheckOptionLists, i)));
        const catalog::Table* table = table_of(herd, statement, rti);
        lists = ::lappend(lists, ::lappend(checks, make_check(*table, rti)));
    }
    modify->withCheckOptionLists = lists;
}

void guard_below(const catalog::Catalog& herd, const ::PlannedStmt* statement, ::Plan* plan,
                 GuardedRows which) {
    if (plan == nullptr) {
        return;
    }
    if (IsA(plan, ModifyTable)) {
        guard_modify(herd, statement, reinterpret_cast<::ModifyTable*>(plan), which);
    } else if (IsA(plan, CustomScan)) {
        // The herd's own nodes stand above a ModifyTable; PostgreSQL's do not.
        guard_below(herd, statement, outerPlan(plan), which);
        ::List* children = reinterpret_cast<::CustomScan*>(plan)->custom_plans;
        for (int i = 0; i < ::list_length(children); ++i) {
            guard_below(herd, statement, static_cast<::Plan*>(::list_nth(children, i)), which);
        }
    }
}

}  // namespace

void guard_rows(const catalog::Catalog& herd, ::PlannedStmt* statement, GuardedRows which) {
    if (statement->commandType == CMD_SELECT && !statement->hasModifyingCTE) {
        return;
    }
    guard_below(herd, statement, statement->planTree, which);
    for (int i = 0; i < ::list_length(statement->subplans); ++i) {
        guard_below(herd, statement, static_cast<::Plan*>(::list_nth(statement->subplans, i)),
                    which);
    }
}

}  // namespace herd::planner
