#include "planner/reference_filter.hpp"

#include "planner/estimate.hpp"
#include "planner/implied_conditions.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
}

namespace herd::planner {

namespace {

// The level's reference tables that are items of FROM by themselves.
::Bitmapset* reference_entries(const QueryLevel& level) {
    ::Bitmapset* found = nullptr;
    ::List* items = level.query->jointree->fromlist;
    for (int i = 0; i < ::list_length(items); ++i) {
        auto* item = static_cast<::RangeTblRef*>(::list_nth(items, i));
        if (!IsA(item, RangeTblRef)) {
            continue;
        }
        ::RangeTblEntry* rte = rt_fetch(item->rtindex, level.query->rtable);
        const catalog::Table* table =
            rte->rtekind == RTE_RELATION ? level.rewrite->herd->find(rte->relid) : nullptr;
        if (table != nullptr && table->kind == TableKind::kReference && rte->securityQuals == NIL &&
            rte->tablesample == nullptr) {
            found = ::bms_add_member(found, item->rtindex);
        }
    }
    return found;
}

bool is_within(::Node* condition, ::Bitmapset* entries) {
    ::Bitmapset* read = entries_read(condition);
    return !::bms_is_empty(read) && ::bms_is_subset(read, entries) && can_go_inside(condition);
}

// The table, and those that conditions over reference tables alone join to it.
::Bitmapset* joined_to(int table, ::Bitmapset* references, const ::List* conditions) {
    ::Bitmapset* joined = ::bms_make_singleton(table);
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < ::list_length(conditions); ++i) {
            auto* condition = static_cast<::Node*>(::list_nth(conditions, i));
            ::Bitmapset* read = entries_read(condition);
            if (is_within(condition, references) && ::bms_overlap(read, joined) &&
                !::bms_is_subset(read, joined)) {
                joined = ::bms_union(joined, read);
                more = true;
            }
        }
    }
    return joined;
}

// SELECT the column FROM its table and what is joined to it; nullptr: no condition restricts it.
::Query* values_of(const QueryLevel& level, ::Bitmapset* references, ::Var* column) {
    ::List* conditions = conditions_of(level.query->jointree->quals);
    ::Bitmapset* joined = joined_to(column->varno, references, conditions);
    ::List* own = NIL;
    for (int i = 0; i < ::list_length(conditions); ++i) {
        auto* condition = static_cast<::Node*>(::list_nth(conditions, i));
        own = is_within(condition, joined) ? ::lappend(own, condition) : own;
    }
    if (own == NIL) {
        return nullptr;
    }
    ::List* items = NIL;
    int rti = -1;
    while ((rti = ::bms_next_member(joined, rti)) >= 0) {
        items = ::lappend(items, reference_to(rti));
    }
    ::Query* query = part_of_level(level.query, items, own);
    query->hasSubLinks = false;
    query->targetList = list_make1(
        ::makeTargetEntry(static_cast<::Expr*>(copyObjectImpl(column)), 1, ::pstrdup("c1"), false));
    return query;
}

::Node* is_among(const ReferenceValues& values) {
    auto* value = makeNode(Param);
    value->paramkind = PARAM_SUBLINK;
    value->paramid = 1;
    value->paramtype = values.column->vartype;
    value->paramtypmod = values.column->vartypmod;
    value->paramcollid = values.column->varcollid;
    value->location = -1;
    auto* test = static_cast<::OpExpr*>(copyObjectImpl(values.equality));
    test->args = ::list_make2(copyObjectImpl(values.column), value);
    auto* sublink = makeNode(SubLink);
    sublink->subLinkType = ANY_SUBLINK;
    sublink->testexpr = reinterpret_cast<::Node*>(test);
    sublink->operName = ::list_make1(::makeString(::pstrdup("=")));
    sublink->subselect = reinterpret_cast<::Node*>(values.query);
    sublink->location = -1;
    return reinterpret_cast<::Node*>(sublink);
}

// The column of one of the reference tables that conditions make equal to this one, by one step or
// more; nullptr: there is none.
::Var* equal_reference(const ::List* conditions, const ::Var* column, ::Bitmapset* references,
                       Oid equality, int steps) {
    for (int i = 0; i < ::list_length(conditions); ++i) {
        auto* condition = static_cast<::Node*>(::list_nth(conditions, i));
        ::Var* other = equal_column(condition, column);
        if (other == nullptr || reinterpret_cast<::OpExpr*>(condition)->opno != equality) {
            continue;
        }
        ::Var* found = ::bms_is_member(other->varno, references) ? other
                       : steps > 1 ? equal_reference(conditions, other, references, equality, 1)
                                   : nullptr;
        if (found != nullptr) {
            return found;
        }
    }
    return nullptr;
}

struct Search {
    const QueryLevel* level;
    ::List* conditions;
    ::Bitmapset* references;
    bool filters;
    ::List* found;
};

bool is_known(const Search& search, const ::Var* column) {
    for (int i = 0; i < ::list_length(search.found); ++i) {
        auto* known = static_cast<ReferenceValues*>(::list_nth(search.found, i));
        if (equal(known->column, column)) {
            return true;
        }
    }
    return false;
}

void add_values(Search& search, ::Var* column, ::OpExpr* equality) {
    constexpr int kSteps = 2;
    if (is_known(search, column)) {
        return;
    }
    ::Var* reference =
        ::bms_is_member(column->varno, search.references)
            ? column
            : equal_reference(search.conditions, column, search.references, equality->opno, kSteps);
    ::Query* query =
        reference == nullptr ? nullptr : values_of(*search.level, search.references, reference);
    if (query == nullptr) {
        return;
    }
    const Rewrite& rewrite = *search.level->rewrite;
    auto* values = static_cast<ReferenceValues*>(::palloc(sizeof(ReferenceValues)));
    *values = {column, query, equality, search.filters,
               estimate(*rewrite.herd, query, rewrite.parameters).rows};
    search.found = ::lappend(search.found, values);
}

// By the given reference tables.
::List* values_by(const QueryLevel& level, ::Bitmapset* part, ::Bitmapset* references,
                  bool filters) {
    Search search = {&level, conditions_of(level.query->jointree->quals), references, filters, NIL};
    for (int i = 0; i < ::list_length(search.conditions) && !::bms_is_empty(references); ++i) {
        auto* equality = static_cast<::OpExpr*>(::list_nth(search.conditions, i));
        for (int side = 0; IsA(equality, OpExpr) && side < ::list_length(equality->args); ++side) {
            auto* column = static_cast<::Var*>(::list_nth(equality->args, side));
            if (IsA(column, Var) && column->varlevelsup == 0 &&
                ::bms_is_member(column->varno, part)) {
                add_values(search, column, equality);
            }
        }
    }
    return search.found;
}

}  // namespace

::List* reference_values(const QueryLevel& level, ::Bitmapset* part) {
    ::Bitmapset* references = reference_entries(level);
    return ::list_concat(values_by(level, part, ::bms_difference(references, part), true),
                         values_by(level, part, ::bms_intersect(references, part), false));
}

::List* reference_filters(const ::List* values) {
    ::List* filters = NIL;
    for (int i = 0; i < ::list_length(values); ++i) {
        auto* column = static_cast<ReferenceValues*>(::list_nth(values, i));
        filters = column->filters ? ::lappend(filters, is_among(*column)) : filters;
    }
    return filters;
}

double most_values(const ::List* values, const ::Var* column) {
    double most = 0;
    for (int i = 0; i < ::list_length(values); ++i) {
        auto* known = static_cast<ReferenceValues*>(::list_nth(values, i));
        if (equal(known->column, column) && (most == 0 || known->count < most)) {
            most = known->count;
        }
    }
    return most;
}

}  // namespace herd::planner
