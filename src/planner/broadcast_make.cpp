#include "planner/broadcast_make.hpp"

#include <algorithm>

#include "pg/compat.hpp"
#include "pg/wire_types.hpp"
#include "planner/implied_conditions.hpp"
#include "planner/reference_filter.hpp"

extern "C" {
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

enum Setting { kAuto, kAlways, kNever };
int setting = kAuto;
constexpr ::config_enum_entry kSettings[] = {{"auto", kAuto, false},
                                             {"always", kAlways, false},
                                             {"never", kNever, false},
                                             {nullptr, 0, false}};

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
::Query* cut_out(::Query* query, ::Bitmapset* entries, const ::List* own) {
    ::List* items = items_within(query, entries);
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

// Their columns have no more different values than that, wherever they are joined.
void estimate_inner_broadcasts(const Rewrite& rewrite, const ::Query* query) {
    for (int i = 0; i < ::list_length(query->rtable); ++i) {
        auto* rte = static_cast<::RangeTblEntry*>(::list_nth(query->rtable, i));
        auto* inner = const_cast<Broadcast*>(find_broadcast(rewrite, rte));
        if (inner != nullptr && inner->rows == 0) {
            inner->rows = size_of(rewrite, inner->query).rows;
        }
    }
}

}  // namespace

bool broadcasts_enabled() {
    return setting != kNever;
}

bool can_broadcast(const Rewrite& rewrite, const ::Query* query) {
    auto* node = const_cast<::Node*>(reinterpret_cast<const ::Node*>(query));
    return query->commandType == CMD_SELECT && !refers_outward(node) &&
           !locks_rows(node, nullptr) && !reads_other_with(rewrite, node) &&
           travels_in_arrays(query->targetList) && !::contain_volatile_functions(node);
}

double bytes_of(const Estimate& estimate) {
    constexpr double kPerRow = 16;
    return estimate.rows * (estimate.width + kPerRow);
}

Estimate size_of(const Rewrite& rewrite, const ::Query* query) {
    constexpr Estimate kUnknown = {10'000, 100};
    ::Query* whole = without_broadcasts(rewrite, query);
    // A broadcast may read another query of WITH, which can't be estimated out of its place.
    return reads_other_with(rewrite, reinterpret_cast<::Node*>(whole))
               ? kUnknown
               : estimate(*rewrite.herd, whole, rewrite.parameters);
}

// Sent to every node, the rows must fit into work_mem and be fewer bytes than those that would
// have to be fetched otherwise, or few in any case.
bool is_small(const Rewrite& rewrite, const ::Query* query, double largest) {
    constexpr double kMostRows = 1'000'000;
    constexpr double kFewBytes = 1'000'000;
    Estimate size = size_of(rewrite, query);
    if (setting == kAlways) {
        return size.rows <= kMostRows;
    }
    double nodes = static_cast<double>(rewrite.herd->nodes.size()) - 1;
    return bytes_of(size) <= work_mem * 1024.0 &&
           bytes_of(size) * nodes <= std::max(largest, kFewBytes);
}

::Query* preview(const ::Query* query, ::Bitmapset* entries) {
    auto* copy = static_cast<::Query*>(copyObjectImpl(query));
    return cut_out(copy, entries, own_conditions(copy, entries));
}

Broadcast& new_broadcast(Rewrite& rewrite, ::Query* query, int levels) {
    static int last_id = 0;
    auto* broadcast = static_cast<Broadcast*>(::palloc0(sizeof(Broadcast)));
    broadcast->id = ++last_id;
    broadcast->name = broadcast_name(broadcast->id);
    broadcast->query = static_cast<::Query*>(copyObjectImpl(query));
    estimate_inner_broadcasts(rewrite, query);
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

void broadcast_part(QueryLevel& level, ::Bitmapset* entries, ::List* values, ::Query* home,
                    int levels_up) {
    ::List* filters = reference_filters(values);
    ::List* own = own_conditions(level.query, entries);
    ::Query* part = cut_out(level.query, entries, ::list_concat(own, filters));
    part->hasSubLinks = part->hasSubLinks || filters != NIL;
    Broadcast& broadcast = new_broadcast(*level.rewrite, part, 1 - levels_up);
    broadcast.values = values;
    home->cteList = ::lappend(home->cteList, broadcast.with);
    level.query->rtable =
        ::lappend(level.query->rtable, broadcast_entry(broadcast, static_cast<::Index>(levels_up)));
    level.query->jointree->fromlist = ::lappend(level.query->jointree->fromlist,
                                                reference_to(::list_length(level.query->rtable)));
}

const Broadcast& broadcast_rows_of_level(QueryLevel& level, const ::List* conditions) {
    ::Query* query = level.query;
    ::Bitmapset* entries = entries_of(reinterpret_cast<::Node*>(query->jointree), nullptr);
    ::Query* rows = cut_out(query, entries, conditions);
    const Broadcast& broadcast = new_broadcast(*level.rewrite, rows, 1);
    query->cteList = ::lappend(query->cteList, broadcast.with);
    query->rtable = ::lappend(query->rtable, broadcast_entry(broadcast, 0));
    return broadcast;
}

void initialize_broadcasts() {
    ::DefineCustomEnumVariable(
        "herd.broadcast",
        "Whether the smaller side of a join is sent to the nodes: auto, always or never.", nullptr,
        &setting, kAuto, kSettings, PGC_USERSET, 0, nullptr, nullptr, nullptr);
}

}  // namespace herd::planner
