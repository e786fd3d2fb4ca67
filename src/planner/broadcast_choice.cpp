// Which parts of a query level are broadcast: those that are small beside the largest part that is
// divided over the nodes, and joined to it by conditions that nodes can check.
#include <algorithm>

#include "pg/compat.hpp"
#include "pg/wire_types.hpp"
#include "planner/broadcast.hpp"
#include "planner/broadcast_make.hpp"
#include "planner/implied_conditions.hpp"
#include "planner/reference_filter.hpp"

extern "C" {
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

// ---- a level's FROM ----

bool is_connected(const ::Query* query, ::Bitmapset* joined, ::Bitmapset* part) {
    ::Bitmapset* both = ::bms_union(joined, part);
    ::List* conditions = conditions_of(query->jointree->quals);
    for (int i = 0; i < ::list_length(conditions); ++i) {
        auto* condition = static_cast<::Node*>(::list_nth(conditions, i));
        ::Bitmapset* read = entries_read(condition);
        if (::bms_is_subset(read, both) && ::bms_overlap(read, joined) &&
            ::bms_overlap(read, part) && can_go_inside(condition)) {
            return true;
        }
    }
    return false;
}

struct Anchor {
    const Part* part;
    double bytes;
};

struct GroupSearch {
    const catalog::Catalog* herd;
    const catalog::Group* group;
};

bool has_table_of_group(::Node* node, void* argument) {
    auto& search = *static_cast<GroupSearch*>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        auto* rte = reinterpret_cast<::RangeTblEntry*>(node);
        const catalog::Table* table =
            rte->rtekind == RTE_RELATION ? search.herd->find(rte->relid) : nullptr;
        return table != nullptr && table->group == search.group;
    }
    if (IsA(node, Query)) {
        return pg::compat::walk_query(reinterpret_cast<::Query*>(node), has_table_of_group,
                                      argument, QTW_EXAMINE_RTES_BEFORE);
    }
    return pg::compat::walk_expression(node, has_table_of_group, argument);
}

// Whether a condition compares the part with an inner query over tables that may lie beside it.
bool has_inner_companion(const QueryLevel& level, const Part& part) {
    GroupSearch search = {level.rewrite->herd, part.group};
    ::List* conditions = conditions_of(level.query->jointree->quals);
    for (int i = 0; i < ::list_length(conditions); ++i) {
        auto* condition = static_cast<::Node*>(::list_nth(conditions, i));
        if (::checkExprHasSubLink(condition) &&
            ::bms_overlap(entries_read(condition), part.entries) &&
            has_table_of_group(condition, &search)) {
            return true;
        }
    }
    return false;
}

// The part that the others are sent to: of those with inner queries over the same group, or else of
// all, the one with the most bytes.
Anchor find_anchor(const QueryLevel& level, const ::List* parts) {
    Anchor anchor = {nullptr, -1};
    bool companion = false;
    for (int i = 0; i < ::list_length(parts); ++i) {
        auto* part = static_cast<Part*>(::list_nth(parts, i));
        if (part->group == nullptr || part->tables == 0) {
            continue;
        }
        ::Query* query = preview(level.query, part->entries);
        double bytes = refers_outward(reinterpret_cast<::Node*>(query)) ||
                               reads_other_with(*level.rewrite, reinterpret_cast<::Node*>(query))
                           ? 0
                           : bytes_of(size_of(*level.rewrite, query));
        bool accompanied = has_inner_companion(level, *part);
        if (accompanied == companion ? bytes > anchor.bytes : accompanied) {
            anchor = {part, bytes};
            companion = accompanied;
        }
    }
    return anchor;
}

// Parts that are small and connected, directly or by others, to what is joined on the nodes.
::List* small_parts(const QueryLevel& level, const ::List* parts, const Anchor& anchor) {
    ::List* chosen = NIL;
    ::Bitmapset* joined = anchor.part->entries;
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < ::list_length(parts); ++i) {
            auto* part = static_cast<Part*>(::list_nth(parts, i));
            if (::bms_overlap(part->entries, joined) || (part->replicated && part->tables > 0) ||
                ::bms_overlap(part->entries, level.unfit) ||
                !is_connected(level.query, joined, part->entries)) {
                continue;
            }
            ::Query* query = preview(level.query, part->entries);
            if (can_broadcast(*level.rewrite, query) &&
                is_small(*level.rewrite, query, anchor.bytes)) {
                chosen = ::lappend(chosen, part->entries);
                joined = ::bms_union(joined, part->entries);
                more = true;
            }
        }
    }
    return chosen;
}

// What reference tables say about each part, they say before one of them is cut out with another.
void broadcast_parts(QueryLevel& level, const ::List* chosen, ::Query* home, int levels_up) {
    ::List* values = NIL;
    for (int i = 0; i < ::list_length(chosen); ++i) {
        auto* entries = static_cast<::Bitmapset*>(::list_nth(chosen, i));
        values = ::lappend(values, reference_values(level, entries));
    }
    for (int i = 0; i < ::list_length(chosen); ++i) {
        broadcast_part(level, static_cast<::Bitmapset*>(::list_nth(chosen, i)),
                       static_cast<::List*>(::list_nth(values, i)), home, levels_up);
    }
}

// ---- inner queries in conditions ----

struct Opening {
    QueryLevel* outer;
    const Anchor* anchor;
};

// An inner query that reads nothing of the level: its rows are the same for all.
void broadcast_whole(Opening& opening, ::SubLink* sublink, ::Query* inner) {
    Rewrite& rewrite = *opening.outer->rewrite;
    if (sublink->subLinkType == ARRAY_SUBLINK || !can_broadcast(rewrite, inner) ||
        !is_small(rewrite, inner, opening.anchor->bytes)) {
        return;
    }
    const Broadcast& broadcast = new_broadcast(rewrite, inner, 0);
    opening.outer->query->cteList = ::lappend(opening.outer->query->cteList, broadcast.with);
    ::Query* query = select_from(broadcast_entry(broadcast, 1));
    for (int i = 0; i < ::list_length(broadcast.query->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(broadcast.query->targetList, i));
        auto* node = reinterpret_cast<::Node*>(entry->expr);
        ::Var* var = ::makeVar(1, static_cast<::AttrNumber>(i + 1), ::exprType(node),
                               ::exprTypmod(node), ::exprCollation(node), 0);
        query->targetList = ::lappend(
            query->targetList,
            ::makeTargetEntry(reinterpret_cast<::Expr*>(var), static_cast<::AttrNumber>(i + 1),
                              ::pstrdup(entry->resname == nullptr ? "c" : entry->resname), false));
    }
    sublink->subselect = reinterpret_cast<::Node*>(query);
}

// A correlated inner query: what it joins that lies elsewhere.
void broadcast_inside(Opening& opening, ::Query* inner) {
    if (inner->commandType != CMD_SELECT || inner->setOperations != nullptr ||
        inner->rowMarks != NIL || has_lateral(inner)) {
        return;
    }
    flatten_joins(inner);
    QueryLevel level = {opening.outer->rewrite, inner, entries_read_whole(inner), NIL};
    ::List* parts = find_parts(level);
    ::List* chosen = NIL;
    for (int i = 0; i < ::list_length(parts); ++i) {
        auto* part = static_cast<Part*>(::list_nth(parts, i));
        if (part->group == opening.anchor->part->group || (part->replicated && part->tables > 0) ||
            ::bms_overlap(part->entries, level.unfit)) {
            continue;
        }
        ::Query* query = preview(inner, part->entries);
        if (can_broadcast(*level.rewrite, query) &&
            is_small(*level.rewrite, query, opening.anchor->bytes)) {
            chosen = ::lappend(chosen, part->entries);
        }
    }
    broadcast_parts(level, chosen, opening.outer->query, 1);
}

bool open_query(::Node* node, void* argument) {
    auto& opening = *static_cast<Opening*>(argument);
    if (node == nullptr || IsA(node, Query)) {
        return false;
    }
    if (IsA(node, SubLink)) {
        auto* sublink = reinterpret_cast<::SubLink*>(node);
        auto* inner = reinterpret_cast<::Query*>(sublink->subselect);
        if (refers_outward(sublink->subselect)) {
            broadcast_inside(opening, inner);
        } else {
            broadcast_whole(opening, sublink, inner);
        }
        return open_query(sublink->testexpr, argument);
    }
    return pg::compat::walk_expression(node, open_query, argument);
}

// Tries to make a condition one that nodes can check: kept if that succeeds, else nothing changes.
void open_condition(QueryLevel& level, const Anchor& anchor, ::ListCell* condition) {
    auto* old_condition = static_cast<::Node*>(lfirst(condition));
    ::List* old_with = ::list_copy(level.query->cteList);
    ::List* old_broadcasts = ::list_copy(level.rewrite->broadcasts);
    auto* opened = static_cast<::Node*>(copyObjectImpl(old_condition));
    Opening opening = {&level, &anchor};
    (void)open_query(opened, &opening);
    if (can_go_inside_with_queries(level, *anchor.part, opened)) {
        lfirst(condition) = opened;
    } else {
        level.query->cteList = old_with;
        level.rewrite->broadcasts = old_broadcasts;
    }
}

void open_conditions(QueryLevel& level, const Anchor& anchor) {
    ::List* conditions = conditions_of(level.query->jointree->quals);
    for (int i = 0; i < ::list_length(conditions); ++i) {
        ::ListCell* cell = list_nth_cell(conditions, i);
        auto* condition = static_cast<::Node*>(lfirst(cell));
        if (::checkExprHasSubLink(condition) &&
            ::bms_is_subset(entries_read(condition), anchor.part->entries) &&
            !can_go_inside_with_queries(level, *anchor.part, condition)) {
            open_condition(level, anchor, cell);
        }
    }
    level.query->jointree->quals = all_of(conditions);
}

}  // namespace

void choose_broadcasts(QueryLevel& level) {
    add_key_equalities(level);
    ::List* parts = !broadcasts_enabled() ? NIL : find_parts(level);
    bool inner_queries = ::checkExprHasSubLink(level.query->jointree->quals);
    if (parts == NIL || (::list_length(parts) == 1 && !inner_queries)) {
        return;
    }
    Anchor anchor = find_anchor(level, parts);
    if (anchor.part == nullptr) {
        return;
    }
    ::List* chosen = small_parts(level, parts, anchor);
    ::Bitmapset* entries = anchor.part->entries;
    broadcast_parts(level, chosen, level.query, 0);
    if (!inner_queries) {
        return;
    }
    parts = find_parts(level);
    for (int i = 0; i < ::list_length(parts); ++i) {
        anchor.part = static_cast<Part*>(::list_nth(parts, i));
        if (::bms_overlap(anchor.part->entries, entries)) {
            open_conditions(level, anchor);
            return;
        }
    }
}

}  // namespace herd::planner
