#include "planner/sql_functions.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "nodes/makefuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace herd::planner {

namespace {

bool is_sql_function(Oid function) {
    ::HeapTuple tuple = ::SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) {
        return false;
    }
    bool sql = reinterpret_cast<::Form_pg_proc>(GETSTRUCT(tuple))->prolang == SQLlanguageId;
    ::ReleaseSysCache(tuple);
    return sql;
}

bool is_candidate(const ::RangeTblEntry* rte) {
    if (rte->rtekind != RTE_FUNCTION || ::list_length(rte->functions) != 1) {
        return false;
    }
    auto* function = static_cast<::RangeTblFunction*>(linitial(rte->functions));
    auto* call = reinterpret_cast<::FuncExpr*>(function->funcexpr);
    return call != nullptr && IsA(call, FuncExpr) && call->funcretset &&
           call->funcid >= FirstNormalObjectId && is_sql_function(call->funcid);
}

bool find_candidate(::Node* node, void*) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        return is_candidate(reinterpret_cast<::RangeTblEntry*>(node));
    }
    if (IsA(node, Query)) {
        return pg::compat::walk_query(reinterpret_cast<::Query*>(node), find_candidate, nullptr,
                                      QTW_EXAMINE_RTES_BEFORE);
    }
    return pg::compat::walk_expression(node, find_candidate, nullptr);
}

// Bodies may call further functions: the walk goes on into what was put in.
bool replace_all(::Node* node, void* argument) {
    if (node == nullptr) {
        return false;
    }
    auto* root = static_cast<::PlannerInfo*>(argument);
    if (IsA(node, RangeTblEntry)) {
        auto* rte = reinterpret_cast<::RangeTblEntry*>(node);
        if (is_candidate(rte)) {
            ::Query* body = ::inline_set_returning_function(root, rte);
            if (body != nullptr) {
                rte->rtekind = RTE_SUBQUERY;
                rte->subquery = body;
                rte->security_barrier = false;
                rte->functions = NIL;
                // The function's names of the columns, not those of its body.
                rte->alias = ::makeAlias(rte->eref->aliasname, ::list_copy(rte->eref->colnames));
            }
        }
        return false;
    }
    if (IsA(node, Query)) {
        return pg::compat::walk_query(reinterpret_cast<::Query*>(node), replace_all, argument,
                                      QTW_EXAMINE_RTES_BEFORE);
    }
    return pg::compat::walk_expression(node, replace_all, argument);
}

}  // namespace

::Query* inline_sql_functions(::Query* query, ::List** dependencies) {
    *dependencies = NIL;
    if (!find_candidate(reinterpret_cast<::Node*>(query), nullptr)) {
        return query;
    }
    auto* copy = static_cast<::Query*>(copyObjectImpl(query));
    // As much of a planner's state as the inlining writes to.
    auto* root = makeNode(PlannerInfo);
    root->glob = makeNode(PlannerGlobal);
    root->parse = copy;
    (void)replace_all(reinterpret_cast<::Node*>(copy), root);
    *dependencies = root->glob->invalItems;
    return copy;
}

}  // namespace herd::planner
