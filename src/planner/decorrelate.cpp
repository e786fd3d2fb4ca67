#include "planner/decorrelate.hpp"

#include "pg/compat.hpp"
#include "planner/broadcast_make.hpp"
#include "planner/correlation.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parse_oper.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

// ---- the grouped query ----

struct Outer {
    QueryLevel* level;
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
    ::Node* nothing = value_of_nothing(value);
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

// For EXISTS: whether the grouped query has the row.
::Node* is_there(::Node* value) {
    auto* test = makeNode(NullTest);
    test->arg = reinterpret_cast<::Expr*>(value);
    test->nulltesttype = IS_NOT_NULL;
    test->location = -1;
    return reinterpret_cast<::Node*>(test);
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
        if (correlations == NIL) {
            return node;
        }
        ::Node* value = join_grouped(outer, inner, correlations);
        return reinterpret_cast<::SubLink*>(node)->subLinkType == EXISTS_SUBLINK ? is_there(value)
                                                                                 : value;
    }
    return pg::compat::mutate_expression(node, replace_inner, argument);
}

struct Search {
    const QueryLevel* level;
    ::List* others;  // conditions without inner queries
};

// EXISTS may as well be a join with all rows of the inner query. Fewer outer values than those are
// worth sending.
bool has_fewer_values(const Search& search, ::Query* inner, ::List* correlations) {
    const QueryLevel& level = *search.level;
    ::Query* values = part_of_level(level.query, level.query->jointree->fromlist, search.others);
    for (int i = 0; i < ::list_length(correlations); ++i) {
        ::Node* value = static_cast<::Node*>(
            copyObjectImpl(outer_side(*static_cast<Correlation*>(::list_nth(correlations, i)))));
        ::IncrementVarSublevelsUp(value, -1, 1);
        values->targetList = ::lappend(values->targetList, grouped_entry(value, i + 1, 0));
    }
    return can_broadcast(*level.rewrite, values) && can_broadcast(*level.rewrite, inner) &&
           is_small(*level.rewrite, values, bytes_of(size_of(*level.rewrite, inner)) / 4);
}

bool find_candidate(::Node* node, void* argument) {
    if (node == nullptr || IsA(node, Query)) {
        return false;
    }
    const auto& search = *static_cast<const Search*>(argument);
    ::Query* inner = nullptr;
    if (IsA(node, SubLink)) {
        auto* sublink = reinterpret_cast<::SubLink*>(node);
        ::List* found = take_correlations(*search.level->rewrite, sublink, &inner);
        if (found != NIL &&
            (sublink->subLinkType != EXISTS_SUBLINK || has_fewer_values(search, inner, found))) {
            return true;
        }
    }
    return pg::compat::walk_expression(node, find_candidate, argument);
}

// Conditions with inner queries that can be grouped and that no fragment takes.
::List* candidates(QueryLevel& level) {
    ::List* found = NIL;
    ::List* parts = find_parts(level);
    ::List* taken = NIL;
    for (int i = 0; i < ::list_length(parts); ++i) {
        auto* part = static_cast<Part*>(::list_nth(parts, i));
        taken =
            part->group == nullptr ? taken : ::list_concat(taken, conditions_inside(level, *part));
    }
    ::List* conditions = conditions_of(level.query->jointree->quals);
    Search search = {&level, NIL};
    for (int i = 0; i < ::list_length(conditions); ++i) {
        auto* condition = static_cast<::Node*>(::list_nth(conditions, i));
        if (!::checkExprHasSubLink(condition)) {
            search.others = ::lappend(search.others, condition);
        }
    }
    for (int i = 0; i < ::list_length(conditions); ++i) {
        auto* condition = static_cast<::Node*>(::list_nth(conditions, i));
        if (::checkExprHasSubLink(condition) && !list_member_ptr(taken, condition) &&
            find_candidate(condition, &search)) {
            found = ::lappend(found, condition);
        }
    }
    return found;
}

}  // namespace

bool decorrelate(QueryLevel& level) {
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
