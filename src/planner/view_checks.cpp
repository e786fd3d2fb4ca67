#include "planner/view_checks.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/sysattr.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
}

namespace herd::planner {

namespace {

Oid check_function() {
    Oid arguments[] = {BOOLOID, TEXTOID, BOOLOID};
    ::List* name =
        ::list_make2(::makeString(::pstrdup("herd")), ::makeString(::pstrdup("require_view_row")));
    return ::LookupFuncName(name, 3, arguments, false);
}

::Expr* require_row(const ::WithCheckOption* option, bool conflict) {
    ::Const* view = ::makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
                                CStringGetTextDatum(option->relname), false, false);
    auto* is_conflict = reinterpret_cast<::Expr*>(::makeBoolConst(conflict, false));
    return reinterpret_cast<::Expr*>(::makeFuncExpr(
        check_function(), BOOLOID, ::list_make3(copyObjectImpl(option->qual), view, is_conflict),
        InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL));
}

// Both conditions, the first one first.
::Node* first_then(::Node* first, ::Node* second) {
    auto* when = makeNode(CaseWhen);
    when->expr = reinterpret_cast<::Expr*>(first);
    when->result = reinterpret_cast<::Expr*>(second);
    when->location = -1;
    auto* both = makeNode(CaseExpr);
    both->casetype = BOOLOID;
    both->args = ::list_make1(when);
    both->defresult = reinterpret_cast<::Expr*>(::makeBoolConst(false, false));
    both->location = -1;
    return reinterpret_cast<::Node*>(both);
}

::Const* text_constant(const char* text) {
    return text == nullptr ? ::makeNullConst(TEXTOID, -1, DEFAULT_COLLATION_OID)
                           : ::makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
                                         CStringGetTextDatum(text), false, false);
}

// Which row it is that the policy hides; the function knows it as false, true and null.
enum class PolicyRow { kNew, kInTheWay, kTarget };

::Node* require_policy(const ::WithCheckOption* option, PolicyRow row) {
    const Oid arguments[] = {BOOLOID, TEXTOID, TEXTOID, BOOLOID};
    ::List* name = ::list_make2(::makeString(::pstrdup("herd")),
                                ::makeString(::pstrdup("require_policy_row")));
    ::List* values =
        ::list_make4(copyObjectImpl(option->qual), text_constant(option->relname),
                     text_constant(option->polname),
                     ::makeBoolConst(row == PolicyRow::kInTheWay, row == PolicyRow::kTarget));
    return reinterpret_cast<::Node*>(
        ::makeFuncExpr(::LookupFuncName(name, lengthof(arguments), arguments, false), BOOLOID,
                       values, InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL));
}

}  // namespace

::Node* policy_condition(::Node* condition, const ::List* options) {
    for (int i = 0; i < ::list_length(options); ++i) {
        auto* option = static_cast<::WithCheckOption*>(::list_nth(options, i));
        if (option->kind == WCO_RLS_CONFLICT_CHECK && option->qual != nullptr) {
            ::Node* check = require_policy(option, PolicyRow::kInTheWay);
            condition = condition == nullptr ? check : first_then(condition, check);
        }
    }
    return condition;
}

::Node* other_row_condition(::Node* where, int rti) {
    const Oid types[] = {TIDOID, OIDOID, XIDOID};
    const int columns[] = {SelfItemPointerAttributeNumber, TableOidAttributeNumber,
                           MinTransactionIdAttributeNumber};
    ::List* arguments = NIL;
    for (std::size_t i = 0; i < lengthof(types); ++i) {
        arguments = ::lappend(arguments, ::makeVar(rti, static_cast<::AttrNumber>(columns[i]),
                                                   types[i], -1, InvalidOid, 0));
    }
    ::List* name =
        ::list_make2(::makeString(::pstrdup("herd")), ::makeString(::pstrdup("require_other_row")));
    auto* check = reinterpret_cast<::Node*>(
        ::makeFuncExpr(::LookupFuncName(name, lengthof(types), types, false), BOOLOID, arguments,
                       InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL));
    return where == nullptr ? check : first_then(check, where);
}

::List* view_checks(const ::List* options) {
    ::List* checks = NIL;
    for (int i = 0; i < ::list_length(options); ++i) {
        auto* option = static_cast<::WithCheckOption*>(::list_nth(options, i));
        if (option->kind != WCO_VIEW_CHECK || option->qual == nullptr) {
            continue;
        }
        checks = ::lappend(checks, require_row(option, false));
    }
    return checks;
}

::List* policy_checks(const ::List* options, ::WCOKind kind) {
    bool of_target = kind == WCO_RLS_MERGE_UPDATE_CHECK || kind == WCO_RLS_MERGE_DELETE_CHECK;
    ::List* checks = NIL;
    for (int i = 0; i < ::list_length(options); ++i) {
        auto* option = static_cast<::WithCheckOption*>(::list_nth(options, i));
        if (option->kind == kind && option->qual != nullptr) {
            checks = ::lappend(
                checks, require_policy(option, of_target ? PolicyRow::kTarget : PolicyRow::kNew));
        }
    }
    return checks;
}

bool has_view_checks(const ::Query* query) {
    return view_checks(query->withCheckOptions) != NIL ||
           (query->onConflict != nullptr &&
            conflict_condition(query->onConflict->onConflictWhere, query->withCheckOptions) !=
                query->onConflict->onConflictWhere);
}

::Node* conflict_condition(::Node* where, const ::List* options) {
    ::Node* condition = where;
    for (int i = 0; i < ::list_length(options); ++i) {
        auto* option = static_cast<::WithCheckOption*>(::list_nth(options, i));
        if (!pg::compat::is_view_conflict_check(option) || option->qual == nullptr) {
            continue;
        }
        auto* check = require_row(option, true);
        if (condition == nullptr) {
            condition = reinterpret_cast<::Node*>(check);
            continue;
        }
        // Before WHERE, which may leave the row alone, and would be looked at first if it is cheap.
        condition = first_then(reinterpret_cast<::Node*>(check), condition);
    }
    return condition;
}

}  // namespace herd::planner
