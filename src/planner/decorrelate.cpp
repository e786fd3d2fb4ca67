#include "planner/decorrelate.hpp"

#include <cstring>

#include "pg/compat.hpp"
#include "planner/broadcast_make.hpp"
#include "planner/key_graph.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parse_oper.h"
#include "rewrite/rewriteManip.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

// inner = outer, in a condition of the inner query
struct Correlation {
    ::OpExpr* condition;
    bool outer_first;
};

::Node* outer_side(const Correlation& one) {
    return static_cast<::Node*>(::list_nth(one.condition->args, one.outer_first ? 0 : 1));
}

// ---- which inner queries ----

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

bool is_simple(const ::Query* query) {
    return query->commandType == CMD_SELECT && query->hasAggs && query->groupClause == NIL &&
           query->groupingSets == NIL && query->havingQual == nullptr &&
           query->distinctClause == NIL && query->sortClause == NIL &&
           query->limitCount == nullptr && query->limitOffset == nullptr &&
           query->setOperations == nullptr && !query->hasTargetSRFs && !query->hasWindowFuncs &&
           query->cteList == NIL && query->rowMarks == NIL && !has_lateral(query) &&
           ::list_length(query->targetList) == 1;
}

// The correlations of an inner query, taken out of a copy of it; NIL when it can't be grouped.
::List* take_correlations(const Rewrite& rewrite, const ::SubLink* sublink, ::Query** inner) {
    auto* query = reinterpret_cast<::Query*>(sublink->subselect);
    auto* herd = const_cast<catalog::Catalog*>(rewrite.herd);
    if (sublink->subLinkType != EXPR_SUBLINK || !is_simple(query) ||
        !find_remote_table(sublink->subselect, herd) ||
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
    return refers_outward(reinterpret_cast<::Node*>(*inner)) ? NIL : found;
}

// ---- the grouped query ----

struct Outer {
    Level* level;
    const Broadcast* broadcast;
    int rtindex;   // its entry in the level
    ::Node* from;  // the join so far
};

::SortGroupClause* grouping_of(::Node* expression, ::Index reference) {
    auto* clause = makeNode(SortGroupClause);
    clause->tleSortGroupRef = reference;
    ::get_sort_group_operators(::exprType(expression), false, true, false, &clause->sortop,
                               &clause->eqop, nullptr, &clause->hashable);
    return clause;
}

::TargetEntry* grouped_entry(::Node* expression, int position, ::Index reference) {
    ::TargetEntry* entry =
        ::makeTargetEntry(reinterpret_cast<::Expr*>(expression),
                          static_cast<::AttrNumber>(position), ::psprintf("k%d", position), false);
    entry->ressortgroupref = reference;
    return entry;
}

::Node* moved(::Node* expression, int from_entry, int to_entry, int levels) {
    auto* copy = static_cast<::Node*>(copyObjectImpl(expression));
    ::IncrementVarSublevelsUp(copy, levels, 1);
    ::ChangeVarNodes(copy, from_entry, to_entry, 0);
    return copy;
}

::RangeTblEntry* subquery_entry(::Query* query, const char* name) {
    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_SUBQUERY;
    rte->subquery = query;
    ::List* names = NIL;
    for (int i = 0; i < ::list_length(query->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(query->targetList, i));
        names = ::lappend(names, ::makeString(::pstrdup(entry->resname)));
    }
    rte->alias = ::makeAlias(name, NIL);
    rte->eref = ::makeAlias(name, names);
    rte->inFromCl = true;
    return rte;
}

::Var* column_of(int rtindex, int column, ::Node* like) {
    return ::makeVar(rtindex, static_cast<::AttrNumber>(column), ::exprType(like),
                     ::exprTypmod(like), ::exprCollation(like), 0);
}

// SELECT DISTINCT outer values FROM the outer rows, two levels below them
::Query* outer_values(const Outer& outer, ::List* correlations) {
    ::Query* query = select_from(broadcast_entry(*outer.broadcast, 2));
    for (int i = 0; i < ::list_length(correlations); ++i) {
        auto* one = static_cast<Correlation*>(::list_nth(correlations, i));
        ::Node* value = moved(outer_side(*one), outer.rtindex, 1, -1);
        auto reference = static_cast<::Index>(i + 1);
        query->targetList = ::lappend(query->targetList, grouped_entry(value, i + 1, reference));
        query->distinctClause = ::lappend(query->distinctClause, grouping_of(value, reference));
    }
    return query;
}

// SELECT value, keys FROM ..., outer values WHERE inner = key ... GROUP BY keys
void group_by_keys(const Outer& outer, ::Query* inner, ::List* correlations) {
    ::Query* values = outer_values(outer, correlations);
    inner->rtable = ::lappend(inner->rtable, subquery_entry(values, "herd_keys"));
    int rtindex = ::list_length(inner->rtable);
    inner->jointree->fromlist = ::lappend(inner->jointree->fromlist, reference_to(rtindex));
    static_cast<::TargetEntry*>(linitial(inner->targetList))->resname = ::pstrdup("value");
    ::List* conditions = conditions_of(inner->jointree->quals);
    for (int i = 0; i < ::list_length(correlations); ++i) {
        auto* one = static_cast<Correlation*>(::list_nth(correlations, i));
        auto reference = static_cast<::Index>(i + 1);
        auto* key = reinterpret_cast<::Node*>(column_of(rtindex, i + 1, outer_side(*one)));
        auto* equality = static_cast<::OpExpr*>(copyObjectImpl(one->condition));
        lfirst(list_nth_cell(equality->args, one->outer_first ? 0 : 1)) = key;
        conditions = ::lappend(conditions, equality);
        inner->targetList =
            ::lappend(inner->targetList,
                      grouped_entry(static_cast<::Node*>(copyObjectImpl(key)), i + 2, reference));
        inner->groupClause = ::lappend(inner->groupClause, grouping_of(key, reference));
    }
    inner->jointree->quals = all_of(conditions);
}

// LEFT JOIN the grouped query ON outer = key: what stands for the inner query's value.
::Node* join_grouped(Outer& outer, ::Query* inner, ::List* correlations) {
    auto* value =
        reinterpret_cast<::Node*>(static_cast<::TargetEntry*>(linitial(inner->targetList))->expr);
    ::Node* nothing = ::eval_const_expressions(
        nullptr, without_rows(static_cast<::Node*>(copyObjectImpl(value)), nullptr));
    group_by_keys(outer, inner, correlations);
    ::Query* query = outer.level->query;
    query->rtable = ::lappend(query->rtable, subquery_entry(inner, "herd_grouped"));
    int rtindex = ::list_length(query->rtable);
    ::List* conditions = NIL;
    for (int i = 0; i < ::list_length(correlations); ++i) {
        ::Node* left = moved(outer_side(*static_cast<Correlation*>(::list_nth(correlations, i))),
                             outer.rtindex, outer.rtindex, -1);
        auto* grouping = static_cast<::SortGroupClause*>(::list_nth(inner->groupClause, i));
        conditions = ::lappend(
            conditions,
            ::make_opclause(grouping->eqop, BOOLOID, false, reinterpret_cast<::Expr*>(left),
                            reinterpret_cast<::Expr*>(column_of(rtindex, i + 2, left)), InvalidOid,
                            ::exprCollation(left)));
    }
    auto* join = makeNode(JoinExpr);
    join->jointype = JOIN_LEFT;
    join->larg = outer.from;
    join->rarg = reference_to(rtindex);
    join->quals = all_of(conditions);
    outer.from = reinterpret_cast<::Node*>(join);
    auto* result = reinterpret_cast<::Node*>(column_of(rtindex, 1, value));
    if (IsA(nothing, Const) && reinterpret_cast<::Const*>(nothing)->constisnull) {
        return result;
    }
    auto* key = static_cast<::TargetEntry*>(lsecond(inner->targetList))->expr;
    auto* missing = makeNode(NullTest);
    missing->arg = reinterpret_cast<::Expr*>(column_of(rtindex, 2, reinterpret_cast<::Node*>(key)));
    missing->nulltesttype = IS_NULL;
    missing->location = -1;
    auto* when = makeNode(CaseWhen);
    when->expr = reinterpret_cast<::Expr*>(missing);
    when->result = reinterpret_cast<::Expr*>(nothing);
    auto* choice = makeNode(CaseExpr);
    choice->casetype = ::exprType(value);
    choice->casecollid = ::exprCollation(value);
    choice->args = ::list_make1(when);
    choice->defresult = reinterpret_cast<::Expr*>(result);
    choice->location = -1;
    return reinterpret_cast<::Node*>(choice);
}

::Node* replace_inner(::Node* node, void* argument) {
    auto& outer = *static_cast<Outer*>(argument);
    if (node == nullptr || IsA(node, Query)) {
        return node;
    }
    if (IsA(node, SubLink)) {
        ::Query* inner = nullptr;
        ::List* correlations =
            take_correlations(*outer.level->rewrite, reinterpret_cast<::SubLink*>(node), &inner);
        return correlations == NIL ? node : join_grouped(outer, inner, correlations);
    }
    return pg::compat::mutate_expression(node, replace_inner, argument);
}

bool find_candidate(::Node* node, void* argument) {
    if (node == nullptr || IsA(node, Query)) {
        return false;
    }
    ::Query* inner = nullptr;
    if (IsA(node, SubLink) &&
        take_correlations(*static_cast<Rewrite*>(argument), reinterpret_cast<::SubLink*>(node),
                          &inner) != NIL) {
        return true;
    }
    return pg::compat::walk_expression(node, find_candidate, argument);
}

// Conditions with inner queries that can be grouped and that no fragment takes.
::List* candidates(Level& level) {
    ::List* found = NIL;
    ::List* parts = find_parts(level);
    ::List* taken = NIL;
    for (int i = 0; i < ::list_length(parts); ++i) {
        auto* part = static_cast<Part*>(::list_nth(parts, i));
        taken =
            part->group == nullptr ? taken : ::list_concat(taken, conditions_inside(level, *part));
    }
    ::List* conditions = conditions_of(level.query->jointree->quals);
    for (int i = 0; i < ::list_length(conditions); ++i) {
        auto* condition = static_cast<::Node*>(::list_nth(conditions, i));
        if (::checkExprHasSubLink(condition) && !list_member_ptr(taken, condition) &&
            find_candidate(condition, level.rewrite)) {
            found = ::lappend(found, condition);
        }
    }
    return found;
}

}  // namespace

bool decorrelate(Level& level) {
    ::Query* query = level.query;
    ::List* chosen = candidates(level);
    if (chosen == NIL || !::bms_is_empty(level.unfit) || query->resultRelation != 0 ||
        refers_outward(reinterpret_cast<::Node*>(query))) {
        return false;
    }
    ::List* others = ::list_difference_ptr(conditions_of(query->jointree->quals), chosen);
    if (::contain_volatile_functions(reinterpret_cast<::Node*>(others))) {
        return false;
    }
    query->jointree->quals = all_of(chosen);
    int rtindex = ::list_length(query->rtable) + 1;
    const Broadcast& rows = broadcast_rows_of_level(level, others);
    Outer outer = {&level, &rows, rtindex, reference_to(rtindex)};
    query->jointree->quals = replace_inner(query->jointree->quals, &outer);
    query->jointree->fromlist = ::list_make1(outer.from);
    return true;
}

}  // namespace herd::planner
