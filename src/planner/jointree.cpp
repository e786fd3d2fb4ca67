#include "planner/jointree.hpp"

#include <cstring>

#include "pg/compat.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
}

namespace herd::planner {

namespace {

// ---- what an expression refers to ----

struct Reading {
    int level;
    ::Bitmapset* entries;
    bool only_whole;  // whole rows and system columns
};

bool find_read(::Node* node, void* argument) {
    auto& reading = *static_cast<Reading*>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Var)) {
        auto* var = reinterpret_cast<::Var*>(node);
        if (static_cast<int>(var->varlevelsup) == reading.level &&
            (!reading.only_whole || var->varattno <= 0)) {
            reading.entries = ::bms_add_member(reading.entries, var->varno);
        }
        return false;
    }
    if (IsA(node, Query)) {
        ++reading.level;
        (void)pg::compat::walk_query(reinterpret_cast<::Query*>(node), find_read, argument, 0);
        --reading.level;
        return false;
    }
    return pg::compat::walk_expression(node, find_read, argument);
}

struct Outward {
    int level;
    bool with;  // looks for WITH queries instead of columns
};

bool find_outward(::Node* node, void* argument) {
    auto& outward = *static_cast<Outward*>(argument);
    if (node == nullptr) {
        return false;
    }
    auto beyond = [&](::Index up) { return static_cast<int>(up) > outward.level; };
    switch (nodeTag(node)) {
        case T_Var:
            return !outward.with && beyond(reinterpret_cast<::Var*>(node)->varlevelsup);
        case T_Aggref:
            if (!outward.with && beyond(reinterpret_cast<::Aggref*>(node)->agglevelsup)) {
                return true;
            }
            break;
        case T_GroupingFunc:
            return !outward.with && beyond(reinterpret_cast<::GroupingFunc*>(node)->agglevelsup);
        case T_RangeTblEntry: {
            auto* rte = reinterpret_cast<::RangeTblEntry*>(node);
            return outward.with && rte->rtekind == RTE_CTE &&
                   static_cast<int>(rte->ctelevelsup) >= outward.level;
        }
        case T_Query: {
            ++outward.level;
            bool found = pg::compat::walk_query(reinterpret_cast<::Query*>(node), find_outward,
                                                argument, QTW_EXAMINE_RTES_BEFORE);
            --outward.level;
            return found;
        }
        default:
            break;
    }
    return pg::compat::walk_expression(node, find_outward, argument);
}

struct Lowering {
    int level;
    int by;
};

bool lower_with(::Node* node, void* argument) {
    auto& lowering = *static_cast<Lowering*>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        auto* rte = reinterpret_cast<::RangeTblEntry*>(node);
        if (rte->rtekind == RTE_CTE && static_cast<int>(rte->ctelevelsup) >= lowering.level) {
            rte->ctelevelsup += static_cast<::Index>(lowering.by);
        }
        return false;
    }
    if (IsA(node, Query)) {
        ++lowering.level;
        (void)pg::compat::walk_query(reinterpret_cast<::Query*>(node), lower_with, argument,
                                     QTW_EXAMINE_RTES_BEFORE);
        --lowering.level;
        return false;
    }
    return pg::compat::walk_expression(node, lower_with, argument);
}

// ---- flattening ----

void flatten_join_columns(::Query* query) {
    auto flat = [&](auto*& part) {
        part = reinterpret_cast<std::remove_reference_t<decltype(part)>>(
            ::flatten_join_alias_vars(query, reinterpret_cast<::Node*>(part)));
    };
    flat(query->targetList);
    flat(query->jointree);
    flat(query->havingQual);
    flat(query->returningList);
    flat(query->limitCount);
    flat(query->limitOffset);
    flat(query->windowClause);
}

void open_inner_join(::Query* query, ::Node* item, ::List** items, ::List** conditions) {
    auto* join = reinterpret_cast<::JoinExpr*>(item);
    if (!IsA(item, JoinExpr) || join->jointype != JOIN_INNER) {
        *items = ::lappend(*items, item);
        return;
    }
    open_inner_join(query, join->larg, items, conditions);
    open_inner_join(query, join->rarg, items, conditions);
    *conditions = ::list_concat(*conditions, conditions_of(join->quals));
    if (join->rtindex != 0) {
        // The planner takes each join entry for a join that it has to find.
        lfirst(list_nth_cell(query->rtable, join->rtindex - 1)) = blank_entry();
    }
}

// ---- replacing ----

struct Replacing {
    ::Bitmapset* entries;
    int level;
    ::Index relation;
    ::List* outputs;
};

::AttrNumber position_of(Replacing& state, ::Var* own) {
    for (int i = 0; i < ::list_length(state.outputs); ++i) {
        if (equal(static_cast<Output*>(::list_nth(state.outputs, i))->expression, own)) {
            return static_cast<::AttrNumber>(i + 1);
        }
    }
    auto* output = static_cast<Output*>(::palloc0(sizeof(Output)));
    output->position = static_cast<::AttrNumber>(::list_length(state.outputs) + 1);
    output->expression = reinterpret_cast<::Expr*>(own);
    output->name = ::psprintf("c%d", output->position);
    output->used = true;
    state.outputs = ::lappend(state.outputs, output);
    return output->position;
}

::Node* replace_columns(::Node* node, void* argument) {
    auto& state = *static_cast<Replacing*>(argument);
    if (node == nullptr) {
        return nullptr;
    }
    if (IsA(node, Var)) {
        auto* var = static_cast<::Var*>(copyObjectImpl(node));
        if (static_cast<int>(var->varlevelsup) == state.level &&
            ::bms_is_member(var->varno, state.entries)) {
            auto* own = static_cast<::Var*>(copyObjectImpl(var));
            own->varlevelsup = 0;
            var->varattno = position_of(state, own);
            var->varno = static_cast<int>(state.relation);
            var->varnosyn = 0;
            var->varattnosyn = 0;
        }
        return reinterpret_cast<::Node*>(var);
    }
    if (IsA(node, Query)) {
        ++state.level;
        ::Query* query = pg::compat::mutate_query(reinterpret_cast<::Query*>(node), replace_columns,
                                                  argument, QTW_IGNORE_JOINALIASES);
        --state.level;
        return reinterpret_cast<::Node*>(query);
    }
    return pg::compat::mutate_expression(node, replace_columns, argument);
}

}  // namespace

::List* conditions_of(::Node* quals) {
    // A copy of the list: callers add to it and take away.
    return ::list_copy(::make_ands_implicit(reinterpret_cast<::Expr*>(quals)));
}

::Node* all_of(::List* conditions) {
    return conditions == NIL ? nullptr
                             : reinterpret_cast<::Node*>(::make_ands_explicit(conditions));
}

::Bitmapset* entries_of(::Node* node, ::Bitmapset** joins) {
    if (IsA(node, RangeTblRef)) {
        return ::bms_make_singleton(reinterpret_cast<::RangeTblRef*>(node)->rtindex);
    }
    ::Bitmapset* all = nullptr;
    if (IsA(node, FromExpr)) {
        ::List* items = reinterpret_cast<::FromExpr*>(node)->fromlist;
        for (int i = 0; i < ::list_length(items); ++i) {
            all = ::bms_join(all, entries_of(static_cast<::Node*>(::list_nth(items, i)), joins));
        }
        return all;
    }
    auto* join = reinterpret_cast<::JoinExpr*>(node);
    if (joins != nullptr && join->rtindex != 0) {
        *joins = ::bms_add_member(*joins, join->rtindex);
    }
    return ::bms_join(entries_of(join->larg, joins), entries_of(join->rarg, joins));
}

::Bitmapset* entries_read(::Node* expression) {
    Reading reading = {0, nullptr, false};
    (void)find_read(expression, &reading);
    return reading.entries;
}

::Bitmapset* entries_read_whole(::Query* query) {
    Reading reading = {0, nullptr, true};
    (void)pg::compat::walk_query(query, find_read, &reading, 0);
    return reading.entries;
}

bool refers_outward(::Node* node) {
    Outward outward = {node != nullptr && IsA(node, Query) ? -1 : 0, false};
    return find_outward(node, &outward);
}

bool reads_outer_with(::Node* node) {
    Outward outward = {node != nullptr && IsA(node, Query) ? -1 : 0, true};
    return find_outward(node, &outward);
}

void lower_with_references(::Query* query, int levels) {
    Lowering lowering = {-1, levels};
    (void)lower_with(reinterpret_cast<::Node*>(query), &lowering);
}

void flatten_joins(::Query* query) {
    flatten_join_columns(query);
    ::List* items = NIL;
    ::List* conditions = conditions_of(query->jointree->quals);
    for (int i = 0; i < ::list_length(query->jointree->fromlist); ++i) {
        open_inner_join(query, static_cast<::Node*>(::list_nth(query->jointree->fromlist, i)),
                        &items, &conditions);
    }
    query->jointree->fromlist = items;
    query->jointree->quals = all_of(conditions);
}

bool has_lateral(const ::Query* query) {
    for (int i = 0; i < ::list_length(query->rtable); ++i) {
        if (static_cast<::RangeTblEntry*>(::list_nth(query->rtable, i))->lateral) {
            return true;
        }
    }
    return false;
}

::RangeTblEntry* blank_entry() {
    auto* blank = makeNode(RangeTblEntry);
    blank->rtekind = RTE_RESULT;
    blank->eref = ::makeAlias("*RESULT*", NIL);
    return blank;
}

::Query* part_of_level(const ::Query* level, const ::List* items, const ::List* conditions) {
    auto* query = makeNode(Query);
    query->commandType = CMD_SELECT;
    query->querySource = QSRC_ORIGINAL;
    query->canSetTag = true;
    query->hasRowSecurity = level->hasRowSecurity;
    ::Bitmapset* joins = nullptr;
    auto* from = ::makeFromExpr(static_cast<::List*>(copyObjectImpl(items)), nullptr);
    ::Bitmapset* entries = entries_of(reinterpret_cast<::Node*>(from), &joins);
    from->quals = all_of(static_cast<::List*>(copyObjectImpl(conditions)));
    query->jointree = from;
    for (int i = 1; i <= ::list_length(level->rtable); ++i) {
        bool kept = ::bms_is_member(i, entries) || ::bms_is_member(i, joins);
        query->rtable = ::lappend(
            query->rtable, kept ? copyObjectImpl(::list_nth(level->rtable, i - 1)) : blank_entry());
    }
    query->hasSubLinks = level->hasSubLinks;
    return query;
}

::List* replace_entries(::Query* level, ::Bitmapset* entries, ::Index new_entry) {
    Replacing state = {entries, 0, new_entry, NIL};
    ::Query* replaced =
        pg::compat::mutate_query(level, replace_columns, &state, QTW_IGNORE_JOINALIASES);
    std::memcpy(level, replaced, sizeof(::Query));
    return state.outputs;
}

::Node* swap_node(::Node* node, const ::Node* old_node, ::Node* new_node) {
    if (node == old_node) {
        return new_node;
    }
    if (IsA(node, FromExpr)) {
        auto* from = reinterpret_cast<::FromExpr*>(node);
        for (int i = 0; i < ::list_length(from->fromlist); ++i) {
            ::ListCell* cell = list_nth_cell(from->fromlist, i);
            lfirst(cell) = swap_node(static_cast<::Node*>(lfirst(cell)), old_node, new_node);
        }
    } else if (IsA(node, JoinExpr)) {
        auto* join = reinterpret_cast<::JoinExpr*>(node);
        join->larg = swap_node(join->larg, old_node, new_node);
        join->rarg = swap_node(join->rarg, old_node, new_node);
    }
    return node;
}

::Node* reference_to(int rtindex) {
    auto* reference = makeNode(RangeTblRef);
    reference->rtindex = rtindex;
    return reinterpret_cast<::Node*>(reference);
}

}  // namespace herd::planner
