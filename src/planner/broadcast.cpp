#include "planner/broadcast.hpp"

#include <cstring>

#include "pg/compat.hpp"
#include "planner/jointree.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

constexpr char kNamePrefix[] = "herd broadcast ";

char* other_name(char* name) {
    bool taken = name != nullptr && std::strncmp(name, kNamePrefix, sizeof(kNamePrefix) - 1) == 0;
    return taken ? ::psprintf("(%s)", name) : name;
}

bool rename_with(::Node* node, void* argument) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        auto* rte = reinterpret_cast<::RangeTblEntry*>(node);
        rte->ctename = other_name(rte->ctename);
        return false;
    }
    if (IsA(node, CommonTableExpr)) {
        auto* with = reinterpret_cast<::CommonTableExpr*>(node);
        with->ctename = other_name(with->ctename);
    }
    if (IsA(node, Query)) {
        return pg::compat::walk_query(reinterpret_cast<::Query*>(node), rename_with, argument,
                                      QTW_EXAMINE_RTES_BEFORE);
    }
    return pg::compat::walk_expression(node, rename_with, argument);
}

// unnest(the array with the number)
::RangeTblFunction* unnest(const ::Node* column, int number) {
    Oid type = ::exprType(column);
    Oid collation = ::exprCollation(column);
    auto* array = makeNode(Param);
    array->paramkind = PARAM_EXTERN;
    array->paramid = kFirstArgument + number;
    array->paramtype = ::get_array_type(type);
    array->paramtypmod = -1;
    array->paramcollid = collation;
    array->location = -1;
    ::FuncExpr* call = ::makeFuncExpr(F_UNNEST_ANYARRAY, type, ::list_make1(array), collation,
                                      collation, COERCE_EXPLICIT_CALL);
    call->funcretset = true;
    auto* function = makeNode(RangeTblFunction);
    function->funcexpr = reinterpret_cast<::Node*>(call);
    function->funccolcount = 1;
    return function;
}

// ---- in queries: WITH reference -> arrays, or -> the query itself ----

struct Placing {
    const Rewrite* rewrite;
    Fragment* fragment;  // nullptr: queries in place
    int level;           // of the query that is walked, below the outermost
};

int first_argument_of(Fragment* fragment, const Broadcast& broadcast, int levels_up) {
    int number = 0;
    for (int i = 0; i < ::list_length(fragment->broadcasts); ++i) {
        auto* sent = static_cast<SentBroadcast*>(::list_nth(fragment->broadcasts, i));
        if (sent->broadcast == &broadcast) {
            return number;
        }
        number += ::list_length(sent->broadcast->query->targetList);
    }
    auto* sent = static_cast<SentBroadcast*>(::palloc0(sizeof(SentBroadcast)));
    sent->broadcast = &broadcast;
    sent->levels_up = levels_up;
    fragment->broadcasts = ::lappend(fragment->broadcasts, sent);
    return number;
}

void place(const Placing& placing, ::RangeTblEntry* rte) {
    const Broadcast* broadcast = find_broadcast(*placing.rewrite, rte);
    if (broadcast == nullptr) {
        return;
    }
    if (placing.fragment == nullptr) {
        rte->rtekind = RTE_SUBQUERY;
        rte->subquery = without_broadcasts(*placing.rewrite, broadcast->query);
        // It stands below the WITH that it has come from.
        lower_with_references(rte->subquery, static_cast<int>(rte->ctelevelsup) + 1);
    } else {
        int number = first_argument_of(placing.fragment, *broadcast,
                                       static_cast<int>(rte->ctelevelsup) - placing.level);
        rte->rtekind = RTE_FUNCTION;
        ::List* names = NIL;
        for (int i = 0; i < ::list_length(broadcast->query->targetList); ++i) {
            auto* entry = static_cast<::TargetEntry*>(::list_nth(broadcast->query->targetList, i));
            rte->functions = ::lappend(rte->functions,
                                       unnest(reinterpret_cast<::Node*>(entry->expr), number + i));
            names = ::lappend(names, ::makeString(::pstrdup(entry->resname)));
        }
        const char* alias = ::psprintf("b%d", broadcast->id);
        rte->alias = ::makeAlias(alias, static_cast<::List*>(copyObjectImpl(names)));
        rte->eref = ::makeAlias(alias, names);
    }
    rte->ctename = nullptr;
    rte->ctelevelsup = 0;
    rte->coltypes = NIL;
    rte->coltypmods = NIL;
    rte->colcollations = NIL;
    rte->inFromCl = true;
}

bool place_all(::Node* node, void* argument) {
    auto& placing = *static_cast<Placing*>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Query)) {
        auto* query = reinterpret_cast<::Query*>(node);
        ++placing.level;
        for (int i = 0; i < ::list_length(query->rtable); ++i) {
            place(placing, static_cast<::RangeTblEntry*>(::list_nth(query->rtable, i)));
        }
        (void)pg::compat::walk_query(query, place_all, argument, 0);
        --placing.level;
        return false;
    }
    return pg::compat::walk_expression(node, place_all, argument);
}

// ---- the arguments ----

// (SELECT array_agg(column) FROM the WITH query)
::SubLink* array_of(const Broadcast& broadcast, int column, ::Index levels_up) {
    auto* entry = static_cast<::TargetEntry*>(::list_nth(broadcast.query->targetList, column));
    auto* expression = reinterpret_cast<::Node*>(entry->expr);
    Oid type = ::exprType(expression);
    ::RangeTblEntry* rte = broadcast_entry(broadcast, levels_up);
    ::Query* query = select_from(rte);
    ::Var* var = ::makeVar(1, static_cast<::AttrNumber>(column + 1), type, ::exprTypmod(expression),
                           ::exprCollation(expression), 0);
    auto* aggregate = makeNode(Aggref);
    aggregate->aggfnoid = F_ARRAY_AGG_ANYNONARRAY;
    aggregate->aggtype = ::get_array_type(type);
    aggregate->aggcollid = ::exprCollation(expression);
    aggregate->inputcollid = ::exprCollation(expression);
    aggregate->aggargtypes = list_make1_oid(type);
    aggregate->args =
        list_make1(::makeTargetEntry(reinterpret_cast<::Expr*>(var), 1, nullptr, false));
    aggregate->aggkind = 'n';
    aggregate->aggsplit = AGGSPLIT_SIMPLE;
    aggregate->aggno = -1;
    aggregate->aggtransno = -1;
    aggregate->location = -1;
    query->hasAggs = true;
    query->targetList = list_make1(
        ::makeTargetEntry(reinterpret_cast<::Expr*>(aggregate), 1, ::pstrdup("rows"), false));
    auto* sublink = makeNode(SubLink);
    sublink->subLinkType = EXPR_SUBLINK;
    sublink->subselect = reinterpret_cast<::Node*>(query);
    sublink->location = -1;
    return sublink;
}

}  // namespace

const Broadcast* find_broadcast(const Rewrite& rewrite, const ::RangeTblEntry* rte) {
    for (int i = 0; i < ::list_length(rewrite.broadcasts); ++i) {
        auto* broadcast = static_cast<Broadcast*>(::list_nth(rewrite.broadcasts, i));
        if (rte->rtekind == RTE_CTE && std::strcmp(broadcast->name, rte->ctename) == 0) {
            return broadcast;
        }
    }
    return nullptr;
}

char* broadcast_name(int id) {
    return ::psprintf("%s%d", kNamePrefix, id);
}

void keep_names_apart(::Query* query) {
    (void)rename_with(reinterpret_cast<::Node*>(query), nullptr);
}

::RangeTblEntry* broadcast_entry(const Broadcast& broadcast, ::Index levels_up) {
    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_CTE;
    rte->ctename = ::pstrdup(broadcast.name);
    rte->ctelevelsup = levels_up;
    rte->inFromCl = true;
    ::List* names = NIL;
    for (int i = 0; i < ::list_length(broadcast.query->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(broadcast.query->targetList, i));
        auto* expression = reinterpret_cast<::Node*>(entry->expr);
        rte->coltypes = ::lappend_oid(rte->coltypes, ::exprType(expression));
        rte->coltypmods = ::lappend_int(rte->coltypmods, ::exprTypmod(expression));
        rte->colcollations = ::lappend_oid(rte->colcollations, ::exprCollation(expression));
        names = ::lappend(names, ::makeString(::pstrdup(entry->resname)));
    }
    rte->alias = ::makeAlias(broadcast.name, NIL);
    rte->eref = ::makeAlias(broadcast.name, names);
    return rte;
}

void send_broadcasts(const Rewrite& rewrite, Fragment* fragment) {
    Placing placing = {&rewrite, fragment, -1};
    (void)place_all(reinterpret_cast<::Node*>(fragment->query), &placing);
}

::List* broadcast_arguments(const Fragment& fragment, int levels) {
    ::List* arguments = NIL;
    for (int i = 0; i < ::list_length(fragment.broadcasts); ++i) {
        auto* sent = static_cast<SentBroadcast*>(::list_nth(fragment.broadcasts, i));
        int columns = ::list_length(sent->broadcast->query->targetList);
        for (int column = 0; column < columns; ++column) {
            // The array's own query is one level further down.
            arguments =
                ::lappend(arguments, array_of(*sent->broadcast, column,
                                              static_cast<::Index>(sent->levels_up + levels + 1)));
        }
    }
    return arguments;
}

::Query* without_broadcasts(const Rewrite& rewrite, const ::Query* query) {
    auto* copy = static_cast<::Query*>(copyObjectImpl(query));
    Placing placing = {&rewrite, nullptr, -1};
    (void)place_all(reinterpret_cast<::Node*>(copy), &placing);
    return copy;
}

::List* with_arguments(::List* parameters, const ::RangeTblEntry* function) {
    auto* call = reinterpret_cast<::FuncExpr*>(
        static_cast<::RangeTblFunction*>(linitial(function->functions))->funcexpr);
    for (int i = 0; i < ::list_length(parameters); ++i) {
        ::ListCell* cell = list_nth_cell(parameters, i);
        auto* param = static_cast<::Param*>(lfirst(cell));
        if (IsA(param, Param) && param->paramkind == PARAM_EXTERN &&
            param->paramid >= kFirstArgument) {
            lfirst(cell) =
                copyObjectImpl(::list_nth(call->args, param->paramid - kFirstArgument + 1));
        }
    }
    return parameters;
}

}  // namespace herd::planner
