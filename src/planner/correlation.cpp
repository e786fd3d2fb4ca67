#include "planner/correlation.hpp"

#include <cstring>

#include "pg/compat.hpp"
#include "planner/key_graph.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteManip.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

bool find_remote_table(::Node* node, void* argument) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        auto* rte = reinterpret_cast<::RangeTblEntry*>(node);
        const catalog::Table* table =
            rte->rtekind == RTE_RELATION
                ? static_cast<const catalog::Catalog*>(argument)->find(rte->relid)
                : nullptr;
        return table != nullptr && table->kind == TableKind::kDistributed &&
               !table->group->all_here;
    }
    if (IsA(node, Query)) {
        return pg::compat::walk_query(reinterpret_cast<::Query*>(node), find_remote_table, argument,
                                      QTW_EXAMINE_RTES_BEFORE);
    }
    return pg::compat::walk_expression(node, find_remote_table, argument);
}

// What the aggregate gives for no rows at all: 0 for count, null for others that are known.
bool gives_null_for_nothing(const ::Aggref* aggregate) {
    constexpr const char* kNames[] = {"sum",      "avg",         "min",        "max",
                                      "stddev",   "stddev_samp", "stddev_pop", "variance",
                                      "var_samp", "var_pop",     "bool_and",   "bool_or"};
    const char* name = ::get_func_name(aggregate->aggfnoid);
    for (const char* known : kNames) {
        if (std::strcmp(name, known) == 0) {
            return aggregate->aggfnoid < FirstNormalObjectId;
        }
    }
    return false;
}

bool is_count(const ::Aggref* aggregate) {
    return aggregate->aggfnoid == F_COUNT_ || aggregate->aggfnoid == F_COUNT_ANY;
}

bool find_unknown_aggregate(::Node* node, void*) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Aggref)) {
        auto* aggregate = reinterpret_cast<::Aggref*>(node);
        return aggregate->agglevelsup != 0 ||
               (!is_count(aggregate) && !gives_null_for_nothing(aggregate));
    }
    return pg::compat::walk_expression(node, find_unknown_aggregate, nullptr);
}

::Node* without_rows(::Node* node, void* context) {
    if (node == nullptr || !IsA(node, Aggref)) {
        return node == nullptr ? nullptr
                               : pg::compat::mutate_expression(node, without_rows, context);
    }
    auto* aggregate = reinterpret_cast<::Aggref*>(node);
    if (is_count(aggregate)) {
        return reinterpret_cast<::Node*>(::makeConst(INT8OID, -1, InvalidOid, sizeof(int64),
                                                     Int64GetDatum(0), false, FLOAT8PASSBYVAL));
    }
    return reinterpret_cast<::Node*>(::makeNullConst(aggregate->aggtype, -1, aggregate->aggcollid));
}

// Whether the condition is inner = outer, by an equality that groups values as it compares them.
bool find_correlation(::Node* condition, Correlation* found) {
    auto* operation = reinterpret_cast<::OpExpr*>(condition);
    if (!IsA(condition, OpExpr) || ::list_length(operation->args) != 2) {
        return false;
    }
    for (bool outer_first : {false, true}) {
        *found = {operation, outer_first};
        ::Node* outer = outer_side(*found);
        auto* inner = static_cast<::Node*>(::list_nth(operation->args, outer_first ? 1 : 0));
        if (!refers_outward(inner) && !::checkExprHasSubLink(condition) &&
            ::contain_vars_of_level(outer, 1) && ::bms_is_empty(entries_read(outer)) &&
            ::exprCollation(outer) == operation->inputcollid &&
            is_hash_equality(operation->opno, ::exprType(outer), ::exprType(inner))) {
            return true;
        }
    }
    return false;
}

bool is_simple(const ::Query* query, ::SubLinkType type) {
    bool one_value =
        type == EXPR_SUBLINK && query->hasAggs && ::list_length(query->targetList) == 1;
    bool any_row = type == EXISTS_SUBLINK && !query->hasAggs;
    return (one_value || any_row) && query->commandType == CMD_SELECT &&
           query->groupClause == NIL && query->groupingSets == NIL &&
           query->havingQual == nullptr && query->distinctClause == NIL &&
           query->sortClause == NIL && query->limitCount == nullptr &&
           query->limitOffset == nullptr && query->setOperations == nullptr &&
           !query->hasTargetSRFs && !query->hasWindowFuncs && query->cteList == NIL &&
           query->rowMarks == NIL && !has_lateral(query);
}

}  // namespace

::Node* outer_side(const Correlation& one) {
    return static_cast<::Node*>(::list_nth(one.condition->args, one.outer_first ? 0 : 1));
}

::List* take_correlations(const Rewrite& rewrite, const ::SubLink* sublink, ::Query** inner) {
    auto* query = reinterpret_cast<::Query*>(sublink->subselect);
    auto* herd = const_cast<catalog::Catalog*>(rewrite.herd);
    if (!is_simple(query, sublink->subLinkType) || !find_remote_table(sublink->subselect, herd) ||
        ::contain_volatile_functions(sublink->subselect) ||
        find_unknown_aggregate(reinterpret_cast<::Node*>(query->targetList), nullptr)) {
        return NIL;
    }
    *inner = static_cast<::Query*>(copyObjectImpl(query));
    ::List* found = NIL;
    ::List* others = NIL;
    ::List* conditions = conditions_of((*inner)->jointree->quals);
    for (int i = 0; i < ::list_length(conditions); ++i) {
        auto* condition = static_cast<::Node*>(::list_nth(conditions, i));
        Correlation one{};
        if (!refers_outward(condition)) {
            others = ::lappend(others, condition);
        } else if (find_correlation(condition, &one)) {
            auto* kept = static_cast<Correlation*>(::palloc(sizeof(Correlation)));
            *kept = one;
            found = ::lappend(found, kept);
        } else {
            return NIL;
        }
    }
    (*inner)->jointree->quals = all_of(others);
    if (sublink->subLinkType == EXISTS_SUBLINK) {
        (*inner)->targetList = ::list_make1(::makeTargetEntry(
            reinterpret_cast<::Expr*>(::makeBoolConst(true, false)), 1, nullptr, false));
    }
    return refers_outward(reinterpret_cast<::Node*>(*inner)) ? NIL : found;
}

::Node* value_of_nothing(::Node* value) {
    if (IsA(value, Const)) {
        return reinterpret_cast<::Node*>(::makeNullConst(BOOLOID, -1, InvalidOid));
    }
    return ::eval_const_expressions(
        nullptr, without_rows(static_cast<::Node*>(copyObjectImpl(value)), nullptr));
}

}  // namespace herd::planner
