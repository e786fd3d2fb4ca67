// MERGE as a SELECT over its changes, with one more query below: that one joins the source with the
// target and decides for each row what is to be done with it; this one computes the values.
#include "pg/compat.hpp"
#include "planner/fragment_parts.hpp"
#include "planner/modify_query.hpp"
#include "planner/view_checks.hpp"

extern "C" {
#include "access/sysattr.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

::Node* int_constant(int value) {
    return reinterpret_cast<::Node*>(
        ::makeConst(INT4OID, -1, InvalidOid, sizeof(int32), Int32GetDatum(value), false, true));
}

// The same join that PostgreSQL's planner makes of a MERGE.
void join_target(::Query* query) {
    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_JOIN;
    rte->jointype = query->mergeUseOuterJoin ? JOIN_RIGHT : JOIN_INNER;
    rte->eref = ::makeAlias("*MERGE*", NIL);
    rte->inFromCl = true;
    query->rtable = ::lappend(query->rtable, rte);
    auto* target = makeNode(RangeTblRef);
    target->rtindex = query->resultRelation;
    auto* join = makeNode(JoinExpr);
    join->jointype = rte->jointype;
    join->larg = reinterpret_cast<::Node*>(target);
    join->rarg = static_cast<::Node*>(linitial(query->jointree->fromlist));
    join->quals = query->jointree->quals;
    join->rtindex = ::list_length(query->rtable);
    query->jointree->fromlist = ::list_make1(join);
    query->jointree->quals = nullptr;
}

::Node* when_matched(int rti, bool matched) {
    auto* test = makeNode(NullTest);
    test->arg = reinterpret_cast<::Expr*>(
        ::makeVar(rti, SelfItemPointerAttributeNumber, TIDOID, -1, InvalidOid, 0));
    test->nulltesttype = matched ? IS_NOT_NULL : IS_NULL;
    test->location = -1;
    return reinterpret_cast<::Node*>(test);
}

::Node* make_case(::List* whens, ::Node* otherwise) {
    auto* result = makeNode(CaseExpr);
    result->casetype = ::exprType(otherwise);
    result->casecollid = ::exprCollation(otherwise);
    result->args = whens;
    result->defresult = reinterpret_cast<::Expr*>(otherwise);
    result->location = -1;
    return reinterpret_cast<::Node*>(result);
}

::CaseWhen* make_when(::Node* condition, ::Node* value) {
    auto* when = makeNode(CaseWhen);
    when->expr = reinterpret_cast<::Expr*>(condition);
    when->result = reinterpret_cast<::Expr*>(value);
    when->location = -1;
    return when;
}

// The number of the first action whose condition holds, 0 for none and for DO NOTHING.
::Node* chosen_action(const ::List* actions, int rti) {
    ::List* whens = NIL;
    for (int i = 0; i < ::list_length(actions); ++i) {
        auto* action = static_cast<::MergeAction*>(::list_nth(actions, i));
        ::Node* condition = when_matched(rti, action->matched);
        if (action->qual != nullptr) {
            condition =
                reinterpret_cast<::Node*>(::make_andclause(::list_make2(condition, action->qual)));
        }
        int number = action->commandType == CMD_NOTHING ? 0 : i + 1;
        whens = ::lappend(whens, make_when(condition, int_constant(number)));
    }
    return make_case(whens, int_constant(0));
}

::Node* compare(unsigned int operator_, ::Node* left, ::Node* right) {
    return reinterpret_cast<::Node*>(
        ::make_opclause(operator_, BOOLOID, false, reinterpret_cast<::Expr*>(left),
                        reinterpret_cast<::Expr*>(right), InvalidOid, InvalidOid));
}

// Values of an action that is not chosen are not computed.
::Expr* value_for(::Var* chosen, int number, ::Expr* value) {
    auto* node = reinterpret_cast<::Node*>(value);
    ::Const* nothing = ::makeNullConst(::exprType(node), ::exprTypmod(node), ::exprCollation(node));
    ::Node* condition =
        compare(Int4EqualOperator, reinterpret_cast<::Node*>(chosen), int_constant(number));
    return reinterpret_cast<::Expr*>(
        make_case(::list_make1(make_when(condition, node)), reinterpret_cast<::Node*>(nothing)));
}

// The parser numbers the subqueries of each action from 1: those of the whole statement need
// numbers of their own.
bool renumber_subqueries(::Node* node, void* argument) {
    int before = *static_cast<const int*>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Param)) {
        auto* param = reinterpret_cast<::Param*>(node);
        param->paramid += param->paramkind == PARAM_MULTIEXPR ? before << 16 : 0;
        return false;
    }
    if (IsA(node, SubLink) &&
        reinterpret_cast<::SubLink*>(node)->subLinkType == MULTIEXPR_SUBLINK) {
        reinterpret_cast<::SubLink*>(node)->subLinkId += before;
    }
    return pg::compat::walk_expression(node, renumber_subqueries, argument);
}

// SELECT * FROM (the subquery) WHERE the action is chosen: no row gives nulls, and nothing is
// computed.
void run_when_chosen(::SubLink* link, const ::Var* chosen, int number) {
    auto* inner = reinterpret_cast<::Query*>(link->subselect);
    ::IncrementVarSublevelsUp(link->subselect, 1, 1);
    ::List* names = NIL;
    ::List* columns = NIL;
    for (int i = 0; i < ::list_length(inner->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(inner->targetList, i));
        if (entry->resjunk) {
            continue;
        }
        names = ::lappend(names, ::makeString(::pstrdup(entry->resname)));
        columns = ::lappend(
            columns,
            ::makeTargetEntry(reinterpret_cast<::Expr*>(::makeVarFromTargetEntry(1, entry)),
                              static_cast<::AttrNumber>(::list_length(columns) + 1),
                              ::pstrdup(entry->resname), false));
    }
    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_SUBQUERY;
    rte->subquery = inner;
    rte->alias = ::makeAlias("assigned", NIL);
    rte->eref = ::makeAlias("assigned", names);
    rte->inFromCl = true;
    ::Query* query = select_from(rte);
    query->targetList = columns;
    auto* outer = static_cast<::Var*>(copyObjectImpl(chosen));
    outer->varlevelsup = 1;
    query->jointree->quals =
        compare(Int4EqualOperator, reinterpret_cast<::Node*>(outer), int_constant(number));
    link->subselect = reinterpret_cast<::Node*>(query);
}

executor::ModifyAction* add_action(Changes& changes, const ::MergeAction* merge, ::Var* chosen,
                                   int number) {
    auto* action = static_cast<executor::ModifyAction*>(::palloc0(sizeof(executor::ModifyAction)));
    action->command = merge->commandType;
    bool has_values = merge->commandType == CMD_UPDATE || merge->commandType == CMD_INSERT;
    int subqueries = ::list_length(changes.query->targetList);
    (void)renumber_subqueries(reinterpret_cast<::Node*>(merge->targetList), &subqueries);
    for (int i = 0; has_values && i < ::list_length(merge->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(merge->targetList, i));
        if (entry->resjunk) {
            entry->expr = over_source(changes, entry->expr);
            run_when_chosen(reinterpret_cast<::SubLink*>(entry->expr), chosen, number);
            changes.query->targetList = ::lappend(changes.query->targetList, entry);
            continue;
        }
        ::Expr* value = value_for(chosen, number, over_source(changes, entry->expr));
        action->columns = ::lappend_int(action->columns, entry->resno);
        action->sources = ::lappend_int(action->sources, add_output(changes, value));
    }
    return action;
}

// The condition where the action is one of that command; nullptr where none is.
::Node* for_actions(const Changes& changes, ::CmdType command, ::Var* action, ::Node* condition) {
    ::List* cases = NIL;
    for (int i = 0; i < ::list_length(changes.plan.actions); ++i) {
        auto* made = static_cast<executor::ModifyAction*>(::list_nth(changes.plan.actions, i));
        if (made->command == command) {
            auto* number = static_cast<::Node*>(copyObjectImpl(action));
            cases =
                ::lappend(cases, make_when(compare(Int4EqualOperator, number, int_constant(i + 1)),
                                           static_cast<::Node*>(copyObjectImpl(condition))));
        }
    }
    return cases == NIL ? nullptr : make_case(cases, ::makeBoolConst(true, false));
}

// Adds row security's conditions on rows that are to be changed or deleted, and may not be.
void check_targets(Changes& changes, ::Var* chosen, const ::List* options, ::CmdType command,
                   ::WCOKind kind) {
    ::List* checks = policy_checks(options, kind);
    for (int i = 0; i < ::list_length(checks); ++i) {
        ::Expr* check = over_source(changes, static_cast<::Expr*>(::list_nth(checks, i)));
        ::Node* condition = for_actions(changes, command, chosen, reinterpret_cast<::Node*>(check));
        if (condition != nullptr) {
            ::Node* before = changes.query->jointree->quals;
            changes.query->jointree->quals =
                reinterpret_cast<::Node*>(::make_andclause(::list_make2(before, condition)));
        }
    }
}

void add_checks(Changes& changes, ::List*& all, const ::List* options, ::CmdType command,
                ::WCOKind kind) {
    ::List* checks = after_changes(changes, policy_checks(options, kind));
    ::Var* action = ::makeVar(1, changes.plan.action, INT4OID, -1, InvalidOid, 0);
    for (int i = 0; i < ::list_length(checks); ++i) {
        ::Node* condition =
            for_actions(changes, command, action, static_cast<::Node*>(::list_nth(checks, i)));
        all = condition == nullptr ? all : ::lappend(all, condition);
    }
}

}  // namespace

::List* merge_checks(Changes& changes, const ::List* options) {
    ::List* checks = NIL;
    if (changes.plan.checked) {
        add_checks(changes, checks, options, CMD_UPDATE, WCO_RLS_UPDATE_CHECK);
        add_checks(changes, checks, options, CMD_INSERT, WCO_RLS_INSERT_CHECK);
    }
    return checks;
}

void add_merge_actions(Changes& changes) {
    ::Query* merge = changes.query;
    ::List* actions = merge->mergeActionList;
    join_target(merge);
    auto* below = static_cast<Changes*>(::palloc(sizeof(Changes)));
    *below = changes;
    ::AttrNumber choice = add_output(
        *below, reinterpret_cast<::Expr*>(chosen_action(actions, merge->resultRelation)));

    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_SUBQUERY;
    rte->subquery = merge;
    rte->alias = ::makeAlias("merged", NIL);
    rte->inFromCl = true;
    ::Query* query = select_from(rte);
    query->canSetTag = merge->canSetTag;
    query->hasSubLinks = merge->hasSubLinks;
    query->hasRecursive = merge->hasRecursive;
    query->hasModifyingCTE = merge->hasModifyingCTE;
    changes.below = below;
    changes.query = query;

    auto* chosen = ::makeVar(1, choice, INT4OID, -1, InvalidOid, 0);
    query->jointree->quals =
        compare(Int4LessOperator, int_constant(0), reinterpret_cast<::Node*>(chosen));
    changes.plan.only_once = true;
    changes.plan.action = add_output(changes, reinterpret_cast<::Expr*>(chosen));
    add_place(changes);
    for (int i = 0; i < ::list_length(actions); ++i) {
        auto* action = static_cast<::MergeAction*>(::list_nth(actions, i));
        changes.plan.actions =
            ::lappend(changes.plan.actions, add_action(changes, action, chosen, i + 1));
    }
    if (changes.plan.checked) {
        ::List* options = merge->withCheckOptions;
        check_targets(changes, chosen, options, CMD_UPDATE, WCO_RLS_MERGE_UPDATE_CHECK);
        check_targets(changes, chosen, options, CMD_DELETE, WCO_RLS_MERGE_DELETE_CHECK);
        query->withCheckOptions = options;
    }
    for (int i = 0; i < ::list_length(actions); ++i) {
        auto* action = static_cast<executor::ModifyAction*>(::list_nth(changes.plan.actions, i));
        add_arrival(changes, *action);
    }
    lock_target(changes, merge);
    int target = merge->resultRelation;
    merge->targetList = below->outputs;
    merge->commandType = CMD_SELECT;
    merge->resultRelation = 0;
    merge->mergeActionList = NIL;
    merge->withCheckOptions = NIL;
    query->cteList = take_with_queries(merge);
    ::List* names = NIL;
    for (int i = 0; i < ::list_length(merge->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(merge->targetList, i));
        names = ::lappend(names, ::makeString(::pstrdup(entry->resname)));
    }
    rte->eref = ::makeAlias("merged", names);
    if (changes.target->kind == TableKind::kReference) {
        enclose_table(*changes.herd, merge, static_cast<::Index>(target));
    }
}

}  // namespace herd::planner
