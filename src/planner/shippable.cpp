#include "planner/shippable.hpp"

#include <cstring>

#include "pg/compat.hpp"
#include "planner/deparse.hpp"
#include "planner/evaluated_here.hpp"
#include "planner/function_rules.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
}

namespace herd::planner {

namespace {

struct Search {
    const char* reason;
    bool writes;
    bool unseen;  // in a function's or view's body or a policy, which only nodes will see
};

bool look(::Node* node, void* context);

bool refuse_function(Search& search, Oid function) {
    Oid* types = nullptr;
    int count = 0;
    ::get_func_signature(function, &types, &count);
    ::StringInfoData text;
    ::initStringInfo(&text);
    const char* schema = ::get_namespace_name(::get_func_namespace(function));
    ::appendStringInfo(&text, "function %s(",
                       ::quote_qualified_identifier(schema, ::get_func_name(function)));
    for (int i = 0; i < count; ++i) {
        ::appendStringInfo(&text, "%s%s", i == 0 ? "" : ", ", ::format_type_be(types[i]));
    }
    ::appendStringInfoChar(&text, ')');
    search.reason = text.data;
    return true;
}

// One that an administrator has declared to be the same everywhere, or an extension's.
bool is_shippable_user_function(const Search& search, Oid function) {
    return function >= FirstNormalObjectId && is_shippable_function(function, search.writes);
}

bool look_at_function(Oid function, void* context) {
    auto& search = *static_cast<Search*>(context);
    return !is_shippable_function(function, search.writes) && refuse_function(search, function);
}

bool look_at_operator(Search& search, Oid operator_) {
    return OidIsValid(operator_) && look_at_function(::get_opcode(operator_), &search);
}

// ---- Functions in SQL, judged by their bodies
// ----------------------------------------------------

bool is_sql_function(Oid function) {
    if (function < FirstNormalObjectId) {
        return false;
    }
    ::HeapTuple tuple = ::SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    bool sql = HeapTupleIsValid(tuple) &&
               reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->prolang == SQLlanguageId;
    if (HeapTupleIsValid(tuple)) {
        ::ReleaseSysCache(tuple);
    }
    return sql;
}

Oid called_function(::Node* node) {
    if (IsA(node, FuncExpr)) {
        return reinterpret_cast<::FuncExpr*>(node)->funcid;
    }
    if (IsA(node, OpExpr)) {
        auto* expression = reinterpret_cast<::OpExpr*>(node);
        ::set_opfuncid(expression);
        return expression->opfuncid;
    }
    return InvalidOid;
}

// The call with the function's body in its place, or nullptr when it can't be put there.
::Node* inlined_call(::Node* node) {
    Oid function = called_function(node);
    if (!is_sql_function(function)) {
        return nullptr;
    }
    ::Node* simple = ::eval_const_expressions(nullptr, static_cast<::Node*>(copyObjectImpl(node)));
    return called_function(simple) == function ? nullptr : simple;
}

// ---- Names that text can't carry
// -----------------------------------------------------------------

constexpr const char* kRows = "a comparison of rows";

// Some operators have no place in the text for a schema; a node would find another of that name.
bool loses_schema(Search& search, Oid operator_, const char* syntax) {
    ::HeapTuple tuple = ::SearchSysCache1(OPEROID, ObjectIdGetDatum(operator_));
    if (!HeapTupleIsValid(tuple)) {
        return false;
    }
    bool built_in =
        reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple))->oprnamespace == PG_CATALOG_NAMESPACE;
    ::ReleaseSysCache(tuple);
    if (!built_in) {
        search.reason =
            ::psprintf("%s with operator %s", syntax, ::format_operator_qualified(operator_));
    }
    return !built_in;
}

bool row_operators_differ(Search& search, ::List* operators) {
    for (int i = 0; i < ::list_length(operators) && ::list_length(operators) > 1; ++i) {
        if (loses_schema(search, ::list_nth_oid(operators, i), kRows)) {
            return true;
        }
    }
    return false;
}

bool case_loses_schema(Search& search, const ::CaseExpr* expression) {
    for (int i = 0; expression->arg != nullptr && i < ::list_length(expression->args); ++i) {
        auto* when = static_cast<::CaseWhen*>(::list_nth(expression->args, i));
        if (IsA(when->expr, OpExpr) &&
            loses_schema(search, reinterpret_cast<::OpExpr*>(when->expr)->opno, "CASE")) {
            return true;
        }
    }
    return false;
}

struct ColumnOperators {
    Search* search;
    const char* syntax;
};

bool find_nameless_operator(::Node* node, void* context) {
    if (node == nullptr) {
        return false;
    }
    auto* columns = static_cast<ColumnOperators*>(context);
    if (IsA(node, OpExpr) &&
        loses_schema(*columns->search, reinterpret_cast<::OpExpr*>(node)->opno, columns->syntax)) {
        return true;
    }
    return pg::compat::walk_expression(node, find_nameless_operator, context);
}

bool join_loses_schema(Search& search, const ::JoinExpr* join) {
    ColumnOperators columns = {&search, "JOIN ... USING"};
    return join->usingClause != NIL && find_nameless_operator(join->quals, &columns);
}

// (a, b) IN (...): one operator's name is printed for all columns.
bool sublink_loses_schema(Search& search, const ::SubLink* sublink) {
    ColumnOperators columns = {&search, kRows};
    return sublink->testexpr != nullptr && IsA(sublink->testexpr, BoolExpr) &&
           find_nameless_operator(sublink->testexpr, &columns);
}

bool text_loses_names(Search& search, ::Node* node) {
    switch (nodeTag(node)) {
        case T_DistinctExpr:
            return loses_schema(search, reinterpret_cast<::OpExpr*>(node)->opno,
                                "IS DISTINCT FROM");
        case T_NullIfExpr:
            return loses_schema(search, reinterpret_cast<::OpExpr*>(node)->opno, "NULLIF");
        case T_RowCompareExpr:
            return row_operators_differ(search, reinterpret_cast<::RowCompareExpr*>(node)->opnos);
        case T_CaseExpr:
            return case_loses_schema(search, reinterpret_cast<::CaseExpr*>(node));
        case T_SubLink:
            return sublink_loses_schema(search, reinterpret_cast<::SubLink*>(node));
        case T_JoinExpr:
            return join_loses_schema(search, reinterpret_cast<::JoinExpr*>(node));
        default:
            return false;
    }
}

// ---- Other places where functions hide
// -----------------------------------------------------------

bool look_at_domain(Search& search, Oid domain) {
    if (domain < FirstNormalObjectId) {
        return false;
    }
    // It lives as long as the context, whose end releases the constraints.
    auto* checks = static_cast<::DomainConstraintRef*>(::palloc(sizeof(::DomainConstraintRef)));
    ::InitDomainConstraintRef(domain, checks, CurrentMemoryContext, false);
    for (int i = 0; i < ::list_length(checks->constraints); ++i) {
        auto* constraint =
            static_cast<::DomainConstraintState*>(::list_nth(checks->constraints, i));
        if (look(reinterpret_cast<::Node*>(constraint->check_expr), &search)) {
            search.reason =
                ::psprintf("domain %s (%s)", ::format_type_be_qualified(domain), search.reason);
            return true;
        }
    }
    return false;
}

bool look_at_grouping(Search& search, ::List* clauses) {
    for (int i = 0; i < ::list_length(clauses); ++i) {
        auto* clause = static_cast<::SortGroupClause*>(::list_nth(clauses, i));
        if (look_at_operator(search, clause->eqop) || look_at_operator(search, clause->sortop)) {
            return true;
        }
    }
    return false;
}

bool look_at_part(Search& search, ::Node* node) {
    switch (nodeTag(node)) {
        case T_NextValueExpr:
            search.reason = "nextval()";
            return true;
        case T_CurrentOfExpr:
            search.reason = "WHERE CURRENT OF";
            return true;
        case T_CoerceToDomain:
            return look_at_domain(search, reinterpret_cast<::CoerceToDomain*>(node)->resulttype);
        case T_SortGroupClause: {
            auto* clause = reinterpret_cast<::SortGroupClause*>(node);
            return look_at_operator(search, clause->eqop) ||
                   look_at_operator(search, clause->sortop);
        }
        case T_SetOperationStmt:
            return look_at_grouping(search,
                                    reinterpret_cast<::SetOperationStmt*>(node)->groupClauses);
        case T_TableSampleClause:
            return look_at_function(reinterpret_cast<::TableSampleClause*>(node)->tsmhandler,
                                    &search);
        default:
            return false;
    }
}

bool is_role(const ::SQLValueFunction* value) {
    return value->op == SVFOP_CURRENT_USER || value->op == SVFOP_CURRENT_ROLE ||
           value->op == SVFOP_USER;
}

// The clock and the session of the node, which the text can't replace there.
bool reads_session(Search& search, ::Node* node) {
    if (IsA(node, SQLValueFunction) && !is_role(reinterpret_cast<::SQLValueFunction*>(node))) {
        search.reason = "the current date or time inside a view, a policy or a function";
        return true;
    }
    if (IsA(node, FuncExpr)) {
        auto* call = reinterpret_cast<::FuncExpr*>(node);
        return call->args == NIL && ::func_volatile(call->funcid) == PROVOLATILE_STABLE &&
               !is_shippable_user_function(search, call->funcid) &&
               refuse_function(search, call->funcid);
    }
    return false;
}

// Settings with a dot in their name are users' own, which nodes get with each statement.
bool is_forwarded_setting(::Node* node) {
    if (!IsA(node, FuncExpr)) {
        return false;
    }
    auto* call = reinterpret_cast<::FuncExpr*>(node);
    if (call->funcid != F_CURRENT_SETTING_TEXT && call->funcid != F_CURRENT_SETTING_TEXT_BOOL) {
        return false;
    }
    auto* name = reinterpret_cast<::Const*>(linitial(call->args));
    return IsA(name, Const) && !name->constisnull &&
           std::strchr(TextDatumGetCString(name->constvalue), '.') != nullptr;
}

bool look_into_body(Search& search, ::Node* body) {
    bool outer = search.unseen;
    search.unseen = true;
    bool found = look(body, &search);
    search.unseen = outer;
    return found;
}

// The text has neither policies nor the bodies of views.
bool look_at_entry(Search& search, ::RangeTblEntry* rte) {
    if (look_into_body(search, reinterpret_cast<::Node*>(rte->securityQuals))) {
        return true;
    }
    auto* subquery = reinterpret_cast<::Node*>(rte->subquery);
    return OidIsValid(printed_view(rte)) ? look_into_body(search, subquery)
                                         : look(subquery, &search);
}

bool look(::Node* node, void* context) {
    if (node == nullptr) {
        return false;
    }
    ::check_stack_depth();
    auto& search = *static_cast<Search*>(context);
    if (IsA(node, Query)) {
        return pg::compat::walk_query(
            reinterpret_cast<::Query*>(node), look, context,
            QTW_EXAMINE_SORTGROUP | QTW_EXAMINE_RTES_BEFORE | QTW_IGNORE_RT_SUBQUERIES);
    }
    if (IsA(node, RangeTblEntry)) {
        return look_at_entry(search, reinterpret_cast<::RangeTblEntry*>(node));
    }
    if (search.unseen ? reads_session(search, node) : is_evaluated_here(node)) {
        return search.unseen;
    }
    if (search.unseen && is_forwarded_setting(node)) {
        return false;
    }
    ::Node* body = inlined_call(node);
    if (body != nullptr) {
        return look_into_body(search, body);
    }
    return ::check_functions_in_node(node, look_at_function, context) ||
           look_at_part(search, node) || text_loses_names(search, node) ||
           pg::compat::walk_expression(node, look, context);
}

}  // namespace

const char* why_not_shippable(::Node* expression_or_query, bool writes) {
    Search search = {nullptr, writes, false};
    look(expression_or_query, &search);
    return search.reason;
}

bool is_shippable_unseen(::Node* node) {
    Search search = {nullptr, false, true};
    return !look(node, &search);
}

bool is_repeatable(const ::Query* query) {
    auto* node = const_cast<::Node*>(reinterpret_cast<const ::Node*>(query));
    return query->commandType == CMD_SELECT && query->rowMarks == NIL && !query->hasModifyingCTE &&
           !::contain_volatile_functions(node);
}

}  // namespace herd::planner
