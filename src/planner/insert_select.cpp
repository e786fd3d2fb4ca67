#include "planner/insert_select.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
}

namespace herd::planner {

namespace {

// The number of the entry that the rows come from, 0 if there is no such single one.
int source_of(const ::Query* query) {
    const ::List* items = query->jointree->fromlist;
    auto* item = ::list_length(items) == 1 ? static_cast<::Node*>(linitial(items)) : nullptr;
    return item != nullptr && IsA(item, RangeTblRef)
               ? reinterpret_cast<::RangeTblRef*>(item)->rtindex
               : 0;
}

// SELECT (nothing yet) FROM (the entry's query) s
::Query* query_around(::RangeTblEntry* source) {
    auto* inside = static_cast<::RangeTblEntry*>(copyObjectImpl(source));
    // One level further down: WITH queries of the INSERT are one further up.
    ::IncrementVarSublevelsUp(reinterpret_cast<::Node*>(inside->subquery), 1, 1);
    inside->inFromCl = true;
    inside->alias = ::makeAlias("s", NIL);
    inside->eref->aliasname = ::pstrdup("s");
    auto* query = makeNode(Query);
    query->commandType = CMD_SELECT;
    query->rtable = ::list_make1(inside);
    auto* reference = makeNode(RangeTblRef);
    reference->rtindex = 1;
    query->jointree = ::makeFromExpr(::list_make1(reference), nullptr);
    return query;
}

}  // namespace

bool inserts_from_query(const ::Query* query) {
    int source = source_of(query);
    return query->commandType == CMD_INSERT && source > 0 &&
           rt_fetch(source, query->rtable)->rtekind == RTE_SUBQUERY;
}

::Query* insert_with_expressions_inside(const ::Query* query) {
    auto* copy = static_cast<::Query*>(copyObjectImpl(query));
    int source = source_of(copy);
    ::RangeTblEntry* rte = rt_fetch(source, copy->rtable);
    ::Query* around = query_around(rte);
    ::List* names = NIL;
    for (int i = 0; i < ::list_length(copy->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(copy->targetList, i));
        auto* expression = reinterpret_cast<::Node*>(entry->expr);
        auto position = static_cast<::AttrNumber>(i + 1);
        entry->expr = reinterpret_cast<::Expr*>(::makeVar(source, position, ::exprType(expression),
                                                          ::exprTypmod(expression),
                                                          ::exprCollation(expression), 0));
        ::ChangeVarNodes(expression, source, 1, 0);
        char* name = ::psprintf("c%d", i + 1);
        around->targetList = ::lappend(
            around->targetList,
            ::makeTargetEntry(reinterpret_cast<::Expr*>(expression), position, name, false));
        names = ::lappend(names, ::makeString(name));
    }
    around->hasSubLinks = ::checkExprHasSubLink(reinterpret_cast<::Node*>(around->targetList));
    rte->subquery = around;
    rte->alias = nullptr;
    rte->eref = ::makeAlias("*SELECT*", names);
    return copy;
}

}  // namespace herd::planner
