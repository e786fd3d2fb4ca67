// Fragments of a query level: what every node can join, with the conditions that it can check,
// becomes one remote relation.
#include "pg/compat.hpp"
#include "planner/broadcast_make.hpp"
#include "planner/decorrelate.hpp"
#include "planner/estimate.hpp"

extern "C" {
#include "catalog/pg_class.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

struct Tables {
    ::List* entries;
};

bool collect_tables(::Node* node, void* argument) {
    auto& tables = *static_cast<Tables*>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        if (reinterpret_cast<::RangeTblEntry*>(node)->rtekind == RTE_RELATION) {
            tables.entries = ::lappend(tables.entries, node);
        }
        return false;
    }
    if (IsA(node, Query)) {
        return pg::compat::walk_query(reinterpret_cast<::Query*>(node), collect_tables, argument,
                                      QTW_EXAMINE_RTES_BEFORE);
    }
    return pg::compat::walk_expression(node, collect_tables, argument);
}

// Tables, for EXPLAIN, and those that no half of the plan names, for privileges and locks.
void note_tables(Rewrite& rewrite, ::Query* base, Fragment* fragment, bool some_here) {
    Tables tables = {NIL};
    (void)collect_tables(reinterpret_cast<::Node*>(base), &tables);
    for (int i = 0; i < ::list_length(tables.entries); ++i) {
        auto* rte = static_cast<::RangeTblEntry*>(::list_nth(tables.entries, i));
        fragment->names = ::lappend(fragment->names, ::makeString(::get_rel_name(rte->relid)));
        if (!some_here) {
            rewrite.removed = ::lappend(rewrite.removed, copyObjectImpl(rte));
        }
    }
}

::RangeTblEntry* joined_entry(Rewrite& rewrite, const Part& part, ::Query* base,
                              const ::List* outputs) {
    bool some_here = part.group->some_here;
    Fragment* fragment = new_fragment(rewrite, fragment_query(base, outputs), part.group->id.value);
    fragment->role = part.role;
    fragment->key_collation = part.group->key_collation;
    KeyGraph* graph = build_key_graph(*rewrite.herd, fragment->query);
    fragment->fixed_keys = common_keys(*graph, &fragment->fixed_to_array);
    for (int i = 0; i < ::list_length(part.keys); ++i) {
        auto* key = static_cast<::Expr*>(::list_nth(part.keys, i));
        int column = column_of_output(outputs, key);
        if (column > 0) {
            fragment->keys = ::bms_add_member(fragment->keys, column);
        }
    }
    fragment->rows =
        size_of(rewrite, fragment->query).rows * share_of_nodes(*rewrite.herd, *part.group);
    send_broadcasts(rewrite, fragment);
    note_tables(rewrite, base, fragment, some_here);
    ::List* names = NIL;
    for (int i = 0; i < ::list_length(outputs); ++i) {
        names = ::lappend(
            names, ::makeString(::pstrdup(static_cast<Output*>(::list_nth(outputs, i))->name)));
    }
    lower_with_references(base, 2);
    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_SUBQUERY;
    rte->subquery = replacement(*fragment, base, outputs, some_here);
    rte->eref = ::makeAlias("herd_join", names);
    rte->inFromCl = true;
    return rte;
}

struct Merge {
    const Part* part;
    ::Query* base;
    int rtindex;
};

Merge* new_merge(const QueryLevel& level, const Part& part, ::List* conditions, int rtindex) {
    auto* merge = static_cast<Merge*>(::palloc(sizeof(Merge)));
    ::Query* base = part_of_level(level.query, part.items, conditions);
    base->hasSubLinks = ::checkExprHasSubLink(base->jointree->quals);
    *merge = {&part, base, rtindex};
    return merge;
}

bool any_inner_query(const ::List* conditions) {
    for (int i = 0; i < ::list_length(conditions); ++i) {
        if (::checkExprHasSubLink(static_cast<::Node*>(::list_nth(conditions, i)))) {
            return true;
        }
    }
    return false;
}

// Takes the level's fragments out of its FROM and WHERE.
::List* take_fragments(QueryLevel& level) {
    ::List* merges = NIL;
    int rtindex = ::list_length(level.query->rtable);
    ::FromExpr* from = level.query->jointree;
    ::List* parts = find_parts(level);
    ::List* items = NIL;
    ::List* taken = NIL;
    for (int i = 0; i < ::list_length(parts); ++i) {
        auto* part = static_cast<Part*>(::list_nth(parts, i));
        ::List* inside = part->group == nullptr ? NIL : conditions_inside(level, *part);
        if (part->group == nullptr || (part->tables < 2 && !any_inner_query(inside))) {
            items = ::list_concat(items, part->items);
            continue;
        }
        merges = ::lappend(merges, new_merge(level, *part, inside, ++rtindex));
        taken = ::list_concat(taken, inside);
        items = ::lappend(items, reference_to(rtindex));
    }
    from->fromlist = items;
    from->quals = all_of(::list_difference_ptr(conditions_of(from->quals), taken));
    for (int i = 0; i < ::list_length(level.inner); ++i) {
        auto* part = static_cast<Part*>(::list_nth(level.inner, i));
        merges = ::lappend(merges, new_merge(level, *part, NIL, ++rtindex));
        (void)swap_node(reinterpret_cast<::Node*>(from),
                        static_cast<::Node*>(linitial(part->items)), reference_to(rtindex));
    }
    return merges;
}

int tables_of_herd(const QueryLevel& level) {
    int count = 0;
    for (int i = 0; i < ::list_length(level.query->rtable); ++i) {
        auto* rte = static_cast<::RangeTblEntry*>(::list_nth(level.query->rtable, i));
        count += rte->rtekind == RTE_RELATION && level.rewrite->herd->find(rte->relid) != nullptr;
    }
    return count;
}

}  // namespace

::List* merge_joins(Rewrite& rewrite, ::Query* query) {
    QueryLevel level = {&rewrite, query, nullptr, NIL};
    int tables = tables_of_herd(level);
    // A lateral item refers to tables of this level in ways that a merge would have to follow.
    if (query->commandType != CMD_SELECT || query->setOperations != nullptr ||
        query->rowMarks != NIL || tables == 0 || has_lateral(query) ||
        (::list_length(query->jointree->fromlist) < 2 && tables < 2 &&
         !::checkExprHasSubLink(query->jointree->quals))) {
        return NIL;
    }
    flatten_joins(query);
    level.unfit = entries_read_whole(query);
    choose_broadcasts(level);
    if (decorrelate(level)) {
        return NIL;
    }
    ::List* merges = take_fragments(level);
    ::List* entries = NIL;
    for (int i = 0; i < ::list_length(merges); ++i) {
        auto* merge = static_cast<Merge*>(::list_nth(merges, i));
        ::List* outputs =
            replace_entries(query, merge->part->entries, static_cast<::Index>(merge->rtindex));
        entries = ::lappend(entries, joined_entry(rewrite, *merge->part, merge->base, outputs));
        query->rtable = ::lappend(query->rtable, blank_entry());
        // The planner takes each join entry for a join that it has to find.
        ::Bitmapset* gone = nullptr;
        (void)entries_of(reinterpret_cast<::Node*>(merge->base->jointree), &gone);
        gone = ::bms_union(gone, merge->part->entries);
        int rti = -1;
        while ((rti = ::bms_next_member(gone, rti)) >= 0) {
            lfirst(list_nth_cell(query->rtable, rti - 1)) = blank_entry();
        }
    }
    return entries;
}

void install_joins(::Query* query, const ::List* entries) {
    int first = ::list_length(query->rtable) - ::list_length(entries);
    for (int i = 0; i < ::list_length(entries); ++i) {
        lfirst(list_nth_cell(query->rtable, first + i)) = ::list_nth(entries, i);
    }
}

}  // namespace herd::planner
