// Which parts of a query level are broadcast: those that are small beside the largest part that is
// divided over the nodes, and joined to it by conditions that nodes can check.
#include "pg/compat.hpp"
#include "pg/wire_types.hpp"
#include "planner/broadcast.hpp"
#include "planner/estimate.hpp"
#include "planner/implied_conditions.hpp"

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

enum Setting { kAuto, kAlways, kNever };
int setting = kAuto;
const ::config_enum_entry kSettings[] = {{"auto", kAuto, false},
                                         {"always", kAlways, false},
                                         {"never", kNever, false},
                                         {nullptr, 0, false}};

// ---- may a query's rows be sent as arrays? ----

bool locks_rows(::Node* node, void*) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Query)) {
        auto* query = reinterpret_cast<::Query*>(node);
        return query->rowMarks != NIL || query->commandType != CMD_SELECT ||
               pg::compat::walk_query(query, locks_rows, nullptr, 0);
    }
    return pg::compat::walk_expression(node, locks_rows, nullptr);
}

bool travels_in_arrays(const ::List* targets) {
    for (int i = 0; i < ::list_length(targets); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(targets, i));
        Oid type = ::exprType(reinterpret_cast<::Node*>(entry->expr));
        char kind = ::get_typtype(::getBaseType(type));
        if (entry->resjunk || pg::has_local_value_type(type) ||
            !OidIsValid(::get_array_type(type)) || type_is_array_domain(type) ||
            (kind != TYPTYPE_BASE && kind != TYPTYPE_ENUM && kind != TYPTYPE_RANGE)) {
            return false;
        }
    }
    return targets != NIL;
}

bool can_broadcast(const Rewrite& rewrite, const ::Query* query) {
    auto* node = const_cast<::Node*>(reinterpret_cast<const ::Node*>(query));
    return query->commandType == CMD_SELECT && !refers_outward(node) &&
           !locks_rows(node, nullptr) && !reads_other_with(rewrite, node) &&
           travels_in_arrays(query->targetList) && !::contain_volatile_functions(node);
}

// ---- sizes ----

double bytes_of(const Estimate& estimate) {
    constexpr double kPerRow = 16;
    return estimate.rows * (estimate.width + kPerRow);
}

Estimate size_of(const Rewrite& rewrite, const ::Query* query) {
    return estimate(*rewrite.herd, without_broadcasts(rewrite, query), rewrite.parameters);
}

// Sent to every node, the rows must fit into work_mem and be fewer bytes than those that would
// have to be fetched otherwise.
bool is_small(const Rewrite& rewrite, const ::Query* query, double largest) {
    constexpr double kMostRows = 1'000'000;
    Estimate size = size_of(rewrite, query);
    if (setting == kAlways) {
        return size.rows <= kMostRows;
    }
    double nodes = static_cast<double>(rewrite.herd->nodes.size()) - 1;
    return bytes_of(size) <= work_mem * 1024.0 && bytes_of(size) * nodes <= largest;
}

// ---- FROM items ----

void set_targets(::Query* query, const ::List* outputs) {
    for (int i = 0; i < ::list_length(outputs); ++i) {
        auto* output = static_cast<Output*>(::list_nth(outputs, i));
        query->targetList = ::lappend(
            query->targetList,
            ::makeTargetEntry(static_cast<::Expr*>(copyObjectImpl(output->expression)),
                              static_cast<::AttrNumber>(i + 1), ::pstrdup(output->name), false));
    }
}

::List* items_within(const ::Query* query, ::Bitmapset* entries) {
    ::List* items = NIL;
    for (int i = 0; i < ::list_length(query->jointree->fromlist); ++i) {
        auto* item = static_cast<::Node*>(::list_nth(query->jointree->fromlist, i));
        if (::bms_is_subset(entries_of(item, nullptr), entries)) {
            items = ::lappend(items, item);
        }
    }
    return items;
}

// The part's rows, as far as its own conditions leave them, with the columns that the rest needs.
// The level loses the part; its columns are those of a new entry, which is yet to be added.
::Query* cut_out(::Query* query, ::Bitmapset* entries) {
    ::List* items = items_within(query, entries);
    ::List* own = own_conditions(query, entries);
    ::Query* part = part_of_level(query, items, own);
    ::FromExpr* from = query->jointree;
    from->fromlist = ::list_difference_ptr(from->fromlist, items);
    from->quals = all_of(::list_difference_ptr(conditions_of(from->quals), own));
    ::Bitmapset* joins = nullptr;
    (void)entries_of(reinterpret_cast<::Node*>(part->jointree), &joins);
    ::Bitmapset* gone = ::bms_union(entries, joins);
    auto entry = static_cast<::Index>(::list_length(query->rtable) + 1);
    set_targets(part, replace_entries(query, entries, entry));
    int rti = -1;
    while ((rti = ::bms_next_member(gone, rti)) >= 0) {
        lfirst(list_nth_cell(query->rtable, rti - 1)) = blank_entry();
    }
    return part;
}

::Query* preview(const ::Query* query, ::Bitmapset* entries) {
    return cut_out(static_cast<::Query*>(copyObjectImpl(query)), entries);
}

const Broadcast& new_broadcast(Rewrite& rewrite, ::Query* query, int levels) {
    static int last_id = 0;
    auto* broadcast = static_cast<Broadcast*>(::palloc0(sizeof(Broadcast)));
    broadcast->id = ++last_id;
    broadcast->name = ::psprintf("herd broadcast %d", broadcast->id);
    broadcast->query = static_cast<::Query*>(copyObjectImpl(query));
    rewrite.broadcasts = ::lappend(rewrite.broadcasts, broadcast);
    lower_with_references(query, levels);
    auto* with = makeNode(CommonTableExpr);
    with->ctename = ::pstrdup(broadcast->name);
    with->ctematerialized = CTEMaterializeAlways;
    with->ctequery = reinterpret_cast<::Node*>(query);
    with->cterefcount = 2;
    with->location = -1;
    ::RangeTblEntry* shape = broadcast_entry(*broadcast, 0);
    with->ctecolnames = static_cast<::List*>(copyObjectImpl(shape->eref->colnames));
    with->ctecoltypes = shape->coltypes;
    with->ctecoltypmods = shape->coltypmods;
    with->ctecolcollations = shape->colcollations;
    broadcast->with = with;
    return *broadcast;
}

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

Anchor find_anchor(const Level& level, const ::List* parts) {
    Anchor anchor = {nullptr, -1};
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
        if (bytes > anchor.bytes) {
            anchor = {part, bytes};
        }
    }
    return anchor;
}

void broadcast_part(Level& level, ::Bitmapset* entries, ::Query* home, int levels_up) {
    ::Query* part = cut_out(level.query, entries);
    const Broadcast& broadcast = new_broadcast(*level.rewrite, part, 1 - levels_up);
    home->cteList = ::lappend(home->cteList, broadcast.with);
    level.query->rtable =
        ::lappend(level.query->rtable, broadcast_entry(broadcast, static_cast<::Index>(levels_up)));
    level.query->jointree->fromlist = ::lappend(level.query->jointree->fromlist,
                                                reference_to(::list_length(level.query->rtable)));
}

// Parts that are small and connected, directly or by others, to what is joined on the nodes.
::List* small_parts(const Level& level, const ::List* parts, const Anchor& anchor) {
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

// ---- inner queries in conditions ----

struct Opening {
    Level* outer;
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
    Level level = {opening.outer->rewrite, inner, entries_read_whole(inner), NIL};
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
    for (int i = 0; i < ::list_length(chosen); ++i) {
        broadcast_part(level, static_cast<::Bitmapset*>(::list_nth(chosen, i)),
                       opening.outer->query, 1);
    }
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
void open_condition(Level& level, const Anchor& anchor, ::ListCell* condition) {
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

void open_conditions(Level& level, const Anchor& anchor) {
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

void choose_broadcasts(Level& level) {
    add_key_equalities(level);
    ::List* parts = setting == kNever ? NIL : find_parts(level);
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
    for (int i = 0; i < ::list_length(chosen); ++i) {
        broadcast_part(level, static_cast<::Bitmapset*>(::list_nth(chosen, i)), level.query, 0);
    }
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

void initialize_broadcasts() {
    ::DefineCustomEnumVariable(
        "herd.broadcast",
        "Whether the smaller side of a join is sent to the nodes: auto, always or never.", nullptr,
        &setting, kAuto, kSettings, PGC_USERSET, 0, nullptr, nullptr, nullptr);
}

}  // namespace herd::planner
