#include "planner/fragment_parts.hpp"

#include "planner/broadcast.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_func.h"
}

namespace herd::planner {

namespace {

int next_id = 0;

::RangeTblEntry* subquery_entry(::Query* subquery, const char* name, ::List* columns) {
    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_SUBQUERY;
    rte->subquery = subquery;
    rte->eref = ::makeAlias(name, columns);
    rte->alias = ::makeAlias(name, NIL);
    rte->inFromCl = true;
    return rte;
}

::RangeTblEntry* function_entry(const Fragment& fragment, bool some_here) {
    auto* function = makeNode(RangeTblFunction);
    auto* id = ::makeConst(INT4OID, -1, InvalidOid, sizeof(int32), Int32GetDatum(fragment.id),
                           false, true);
    // The function's query is in a union with this server's half.
    ::List* arguments = ::lcons(id, broadcast_arguments(fragment, some_here ? 2 : 1));
    ::FuncExpr* call = ::makeFuncExpr(remote_rows_function(), RECORDOID, arguments, InvalidOid,
                                      InvalidOid, COERCE_EXPLICIT_CALL);
    call->funcretset = true;
    function->funcexpr = reinterpret_cast<::Node*>(call);
    ::List* names = NIL;
    for (int i = 0; i < ::list_length(fragment.query->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(fragment.query->targetList, i));
        if (entry->resjunk) {
            continue;
        }
        auto* expression = reinterpret_cast<::Node*>(entry->expr);
        function->funccolnames = ::lappend(function->funccolnames, ::makeString(entry->resname));
        function->funccoltypes = ::lappend_oid(function->funccoltypes, ::exprType(expression));
        function->funccoltypmods =
            ::lappend_int(function->funccoltypmods, ::exprTypmod(expression));
        function->funccolcollations =
            ::lappend_oid(function->funccolcollations, ::exprCollation(expression));
        names = ::lappend(names, ::makeString(entry->resname));
    }
    function->funccolcount = ::list_length(names);
    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_FUNCTION;
    rte->functions = ::list_make1(function);
    rte->eref = ::makeAlias("herd_rows", names);
    rte->inFromCl = true;
    return rte;
}

::List* sent_of(const Output& output) {
    return output.sent != NIL ? output.sent : ::list_make1(output.expression);
}

bool shift_columns(::Node* node, void* argument) {
    if (node != nullptr && IsA(node, Var)) {
        auto* var = reinterpret_cast<::Var*>(node);
        var->varattno =
            static_cast<::AttrNumber>(var->varattno + *static_cast<const ::AttrNumber*>(argument));
        var->varattnosyn = var->varattno;
        return false;
    }
    return pg::compat::walk_expression(node, shift_columns, argument);
}

// The output, over the function's columns after the given one.
::Expr* received_expression(const Output& output, ::AttrNumber after) {
    if (output.received != nullptr) {
        auto* copy = static_cast<::Node*>(copyObjectImpl(output.received));
        (void)shift_columns(copy, &after);
        return reinterpret_cast<::Expr*>(copy);
    }
    auto* node = static_cast<::Node*>(linitial(sent_of(output)));
    return reinterpret_cast<::Expr*>(::makeVar(1, static_cast<::AttrNumber>(after + 1),
                                               ::exprType(node), ::exprTypmod(node),
                                               ::exprCollation(node), 0));
}

// Expressions that only the fragment's own order needs.
void add_sort_expressions(const ::Query* base, ::Query* query) {
    for (int i = 0; i < ::list_length(base->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(copyObjectImpl(::list_nth(base->targetList, i)));
        entry->resno = static_cast<::AttrNumber>(::list_length(query->targetList) + 1);
        query->targetList = ::lappend(query->targetList, entry);
    }
}

// SELECT <outputs> from the nodes or from here; unused columns are nulls, so that positions stay.
::Query* remote_half(const Fragment& fragment, const ::List* outputs, bool some_here) {
    ::Query* query = select_from(function_entry(fragment, some_here));
    query->hasSubLinks = fragment.broadcasts != NIL;
    ::AttrNumber column = 0;
    for (int i = 0; i < ::list_length(outputs); ++i) {
        auto* output = static_cast<Output*>(::list_nth(outputs, i));
        ::Expr* expression = output->null;
        if (output->used) {
            expression = received_expression(*output, column);
            column = static_cast<::AttrNumber>(column + ::list_length(sent_of(*output)));
        }
        query->targetList = ::lappend(
            query->targetList, ::makeTargetEntry(expression, static_cast<::AttrNumber>(i + 1),
                                                 ::pstrdup(output->name), false));
    }
    return query;
}

::List* output_names(const ::List* outputs) {
    ::List* names = NIL;
    for (int i = 0; i < ::list_length(outputs); ++i) {
        names = ::lappend(
            names, ::makeString(::pstrdup(static_cast<Output*>(::list_nth(outputs, i))->name)));
    }
    return names;
}

// left UNION ALL right, as the parser makes it.
::Query* union_all(::Query* left, ::Query* right, ::List* names) {
    ::Query* query = select_from(subquery_entry(left, "herd_here", names));
    query->rtable =
        ::lappend(query->rtable,
                  subquery_entry(right, "herd_there", static_cast<::List*>(copyObjectImpl(names))));
    query->jointree = ::makeFromExpr(NIL, nullptr);
    auto* operation = makeNode(SetOperationStmt);
    operation->op = SETOP_UNION;
    operation->all = true;
    auto* left_ref = makeNode(RangeTblRef);
    left_ref->rtindex = 1;
    auto* right_ref = makeNode(RangeTblRef);
    right_ref->rtindex = 2;
    operation->larg = reinterpret_cast<::Node*>(left_ref);
    operation->rarg = reinterpret_cast<::Node*>(right_ref);
    for (int i = 0; i < ::list_length(left->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(left->targetList, i));
        if (entry->resjunk) {
            continue;
        }
        auto* expression = reinterpret_cast<::Node*>(entry->expr);
        Oid type = ::exprType(expression);
        operation->colTypes = ::lappend_oid(operation->colTypes, type);
        operation->colTypmods = ::lappend_int(operation->colTypmods, ::exprTypmod(expression));
        operation->colCollations =
            ::lappend_oid(operation->colCollations, ::exprCollation(expression));
        query->targetList = ::lappend(
            query->targetList,
            ::makeTargetEntry(
                reinterpret_cast<::Expr*>(::makeVar(1, entry->resno, type, ::exprTypmod(expression),
                                                    ::exprCollation(expression), 0)),
                entry->resno, ::pstrdup(entry->resname), false));
    }
    query->setOperations = reinterpret_cast<::Node*>(operation);
    return query;
}

}  // namespace

Oid remote_rows_function() {
    Oid argument = INT4OID;
    ::List* name =
        ::list_make2(::makeString(::pstrdup("herd")), ::makeString(::pstrdup("remote_rows")));
    return ::LookupFuncName(name, 1, &argument, false);
}

::Query* select_from(::RangeTblEntry* rte) {
    auto* query = makeNode(Query);
    query->commandType = CMD_SELECT;
    query->querySource = QSRC_ORIGINAL;
    query->canSetTag = true;
    query->rtable = ::list_make1(rte);
    auto* reference = makeNode(RangeTblRef);
    reference->rtindex = 1;
    query->jointree = ::makeFromExpr(::list_make1(reference), nullptr);
    return query;
}

Fragment* new_fragment(Rewrite& rewrite, ::Query* query, int32 group) {
    auto* fragment = static_cast<Fragment*>(::palloc0(sizeof(Fragment)));
    fragment->id = ++next_id;
    fragment->query = query;
    fragment->group_id = group;
    rewrite.fragments = ::lappend(rewrite.fragments, fragment);
    return fragment;
}

// What the nodes compute: the used outputs only.
::Query* fragment_query(const ::Query* base, const ::List* outputs) {
    auto* query = static_cast<::Query*>(copyObjectImpl(base));
    query->targetList = NIL;
    ::AttrNumber column = 0;
    for (int i = 0; i < ::list_length(outputs); ++i) {
        auto* output = static_cast<Output*>(::list_nth(outputs, i));
        ::List* sent = output->used ? sent_of(*output) : NIL;
        for (int s = 0; s < ::list_length(sent); ++s) {
            ++column;
            query->targetList = ::lappend(
                query->targetList,
                ::makeTargetEntry(static_cast<::Expr*>(copyObjectImpl(::list_nth(sent, s))), column,
                                  ::psprintf("c%d", column), false));
        }
    }
    add_sort_expressions(base, query);
    return query;
}

::Query* rows_here(const ::Query* base, const ::List* outputs) {
    auto* query = static_cast<::Query*>(copyObjectImpl(base));
    query->targetList = NIL;
    for (int i = 0; i < ::list_length(outputs); ++i) {
        auto* output = static_cast<Output*>(::list_nth(outputs, i));
        auto* expression =
            static_cast<::Expr*>(copyObjectImpl(output->used ? output->expression : output->null));
        query->targetList = ::lappend(
            query->targetList, ::makeTargetEntry(expression, static_cast<::AttrNumber>(i + 1),
                                                 ::pstrdup(output->name), false));
    }
    add_sort_expressions(base, query);
    return query;
}

int column_of_output(const ::List* outputs, const ::Expr* expression) {
    int column = 0;
    for (int i = 0; i < ::list_length(outputs); ++i) {
        auto* output = static_cast<Output*>(::list_nth(outputs, i));
        if (!output->used) {
            continue;
        }
        if (output->sent == NIL && equal(output->expression, expression)) {
            return column + 1;
        }
        column += ::list_length(sent_of(*output));
    }
    return 0;
}

::Query* replacement(const Fragment& fragment, const ::Query* base, const ::List* outputs,
                     bool some_here) {
    ::Query* remote = remote_half(fragment, outputs, some_here);
    return some_here ? union_all(rows_here(base, outputs), remote, output_names(outputs)) : remote;
}

}  // namespace herd::planner
