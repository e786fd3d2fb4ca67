#include "planner/level_parts.hpp"

#include <cstring>

#include "pg/compat.hpp"
#include "planner/key_graph.hpp"
#include "planner/remote_relation.hpp"
#include "planner/shippable.hpp"

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

Part* new_part(::Node* item) {
    auto* part = static_cast<Part*>(::palloc0(sizeof(Part)));
    part->items = ::list_make1(item);
    part->entries = entries_of(item, nullptr);
    return part;
}

void set_table(Part* part, const ::RangeTblEntry* rte, const catalog::Table& table, int rti) {
    part->has_role = true;
    part->role = rte->checkAsUser;
    part->tables = 1;
    if (table.kind == TableKind::kReference) {
        part->replicated = true;
        return;
    }
    part->group = table.group;
    Oid type = InvalidOid;
    int32 typmod = -1;
    Oid collation = InvalidOid;
    ::get_atttypetypmodcoll(rte->relid, table.key_attnum, &type, &typmod, &collation);
    part->keys = ::list_make1(::makeVar(rti, table.key_attnum, type, typmod, collation, 0));
}

Part* part_of_entry(QueryLevel& level, ::Node* node) {
    int rti = reinterpret_cast<::RangeTblRef*>(node)->rtindex;
    Part* part = new_part(node);
    ::RangeTblEntry* rte = rt_fetch(rti, level.query->rtable);
    if (is_broadcast(*level.rewrite, rte)) {
        part->replicated = true;
        part->tables = 1;
        return part;
    }
    const catalog::Table* table =
        rte->rtekind == RTE_RELATION ? level.rewrite->herd->find(rte->relid) : nullptr;
    bool fits = table != nullptr && rti != level.query->resultRelation &&
                rte->securityQuals == NIL && rte->tablesample == nullptr &&
                !::bms_is_member(rti, level.unfit);
    if (fits && (table->kind == TableKind::kReference || !table->group->all_here)) {
        set_table(part, rte, *table, rti);
    }
    return part;
}

::Expr* bare(::Expr* expression) {
    while (expression != nullptr && IsA(expression, RelabelType)) {
        expression = reinterpret_cast<::RelabelType*>(expression)->arg;
    }
    return expression;
}

bool is_key_of(::Expr* expression, const Part& part) {
    auto* var = reinterpret_cast<::Var*>(bare(expression));
    if (var == nullptr || !IsA(var, Var) || var->varlevelsup != 0) {
        return false;
    }
    for (int i = 0; i < ::list_length(part.keys); ++i) {
        auto* key = static_cast<::Var*>(::list_nth(part.keys, i));
        if (key->varno == var->varno && key->varattno == var->varattno) {
            return true;
        }
    }
    return false;
}

bool equates_keys(::Node* condition, const Part& left, const Part& right) {
    auto* operation = reinterpret_cast<::OpExpr*>(condition);
    if (condition == nullptr || !IsA(condition, OpExpr) || ::list_length(operation->args) != 2) {
        return false;
    }
    auto* one = static_cast<::Expr*>(linitial(operation->args));
    auto* other = static_cast<::Expr*>(lsecond(operation->args));
    bool keys = (is_key_of(one, left) && is_key_of(other, right)) ||
                (is_key_of(one, right) && is_key_of(other, left));
    return keys && can_go_inside(condition) &&
           is_hash_equality(operation->opno, ::exprType(reinterpret_cast<::Node*>(bare(one))),
                            ::exprType(reinterpret_cast<::Node*>(bare(other))));
}

bool has_key_equality(::List* conditions, const Part& left, const Part& right) {
    for (int i = 0; i < ::list_length(conditions); ++i) {
        if (equates_keys(static_cast<::Node*>(::list_nth(conditions, i)), left, right)) {
            return true;
        }
    }
    return false;
}

// A condition over both, and nothing else, that nodes can check.
bool has_connection(::List* conditions, const Part& left, const Part& right) {
    ::Bitmapset* both = ::bms_union(left.entries, right.entries);
    for (int i = 0; i < ::list_length(conditions); ++i) {
        auto* condition = static_cast<::Node*>(::list_nth(conditions, i));
        ::Bitmapset* read = entries_read(condition);
        if (::bms_is_subset(read, both) && ::bms_overlap(read, left.entries) &&
            ::bms_overlap(read, right.entries) && can_go_inside(condition)) {
            return true;
        }
    }
    return false;
}

bool same_role(const Part& left, const Part& right) {
    return !left.has_role || !right.has_role || left.role == right.role;
}

// Whether every node can join its rows of one part with its rows of the other.
bool can_join(const Part& left, const Part& right, ::JoinType type, ::List* conditions) {
    if (left.tables == 0 || right.tables == 0 || !same_role(left, right)) {
        return false;
    }
    if (left.group != nullptr && right.group != nullptr) {
        return left.group == right.group && has_key_equality(conditions, left, right);
    }
    // A replicated row without a partner would come from every node.
    bool left_outer = type == JOIN_LEFT || type == JOIN_FULL;
    bool right_outer = type == JOIN_RIGHT || type == JOIN_FULL;
    return (left.group == nullptr && right.group == nullptr) ||
           (!(left_outer && left.replicated) && !(right_outer && right.replicated));
}

Part* join_parts(const Part& left, const Part& right) {
    auto* part = static_cast<Part*>(::palloc0(sizeof(Part)));
    part->items = ::list_concat_copy(left.items, right.items);
    part->group = left.group != nullptr ? left.group : right.group;
    part->replicated = part->group == nullptr;
    part->entries = ::bms_union(left.entries, right.entries);
    part->keys = ::list_concat_copy(left.keys, right.keys);
    part->has_role = left.has_role || right.has_role;
    part->role = left.has_role ? left.role : right.role;
    part->tables = left.tables + right.tables;
    return part;
}

Part* visit(QueryLevel& level, ::Node* node);

void keep_inner(QueryLevel& level, Part* part) {
    if (part->group != nullptr && part->tables > 1) {
        level.inner = ::lappend(level.inner, part);
    }
}

Part* visit_join(QueryLevel& level, ::JoinExpr* join) {
    Part* left = visit(level, join->larg);
    Part* right = visit(level, join->rarg);
    auto* node = reinterpret_cast<::Node*>(join);
    if (can_join(*left, *right, join->jointype, conditions_of(join->quals)) &&
        can_go_inside(join->quals)) {
        Part* part = join_parts(*left, *right);
        part->items = ::list_make1(node);
        // A nullable side's keys may be null where the other's is not: only the preserved side's
        // may be joined on.
        if (join->jointype != JOIN_INNER) {
            part->keys = join->jointype == JOIN_LEFT    ? left->keys
                         : join->jointype == JOIN_RIGHT ? right->keys
                                                        : NIL;
        }
        return part;
    }
    keep_inner(level, left);
    keep_inner(level, right);
    return new_part(node);
}

Part* visit(QueryLevel& level, ::Node* node) {
    if (IsA(node, RangeTblRef)) {
        return part_of_entry(level, node);
    }
    return IsA(node, JoinExpr) ? visit_join(level, reinterpret_cast<::JoinExpr*>(node))
                               : new_part(node);
}

// Two parts that WHERE joins in a way that nodes can follow become one.
bool join_two(::List** parts, ::List* conditions, bool of_keys) {
    for (int i = 0; i < ::list_length(*parts); ++i) {
        for (int j = i + 1; j < ::list_length(*parts); ++j) {
            auto* left = static_cast<Part*>(::list_nth(*parts, i));
            auto* right = static_cast<Part*>(::list_nth(*parts, j));
            bool divided = left->group != nullptr && right->group != nullptr;
            if (divided != of_keys || !can_join(*left, *right, JOIN_INNER, conditions) ||
                (!of_keys && !has_connection(conditions, *left, *right))) {
                continue;
            }
            lfirst(list_nth_cell(*parts, i)) = join_parts(*left, *right);
            *parts = ::list_delete_nth_cell(*parts, j);
            return true;
        }
    }
    return false;
}

// ---- inner queries in conditions ----

bool find_obstacle(::Node* node, void* argument) {
    if (node == nullptr) {
        return false;
    }
    switch (nodeTag(node)) {
        case T_Param:
            return reinterpret_cast<::Param*>(node)->paramkind != PARAM_EXTERN &&
                   reinterpret_cast<::Param*>(node)->paramkind != PARAM_SUBLINK;
        case T_Query: {
            auto* query = reinterpret_cast<::Query*>(node);
            return query->commandType != CMD_SELECT || query->rowMarks != NIL ||
                   pg::compat::walk_query(query, find_obstacle, argument, QTW_EXAMINE_RTES_BEFORE);
        }
        case T_RangeTblEntry: {
            auto* rte = reinterpret_cast<::RangeTblEntry*>(node);
            bool relation = rte->rtekind == RTE_RELATION;
            return rte->securityQuals != NIL || rte->tablesample != nullptr ||
                   (relation && rte->relkind != RELKIND_VIEW &&
                    rte->checkAsUser != *static_cast<Oid*>(argument));
        }
        default:
            return pg::compat::walk_expression(node, find_obstacle, argument);
    }
}

struct With {
    const Rewrite* rewrite;
    int level;
};

bool find_other_with(::Node* node, void* argument) {
    auto& with = *static_cast<With*>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        auto* rte = reinterpret_cast<::RangeTblEntry*>(node);
        return rte->rtekind == RTE_CTE && static_cast<int>(rte->ctelevelsup) >= with.level &&
               !is_broadcast(*with.rewrite, rte);
    }
    if (IsA(node, Query)) {
        ++with.level;
        bool found = pg::compat::walk_query(reinterpret_cast<::Query*>(node), find_other_with,
                                            argument, QTW_EXAMINE_RTES_BEFORE);
        --with.level;
        return found;
    }
    return pg::compat::walk_expression(node, find_other_with, argument);
}

// Every distributed table of an inner query is reached from a key of the part: what a row of the
// part needs of it is on the row's own node.
bool follows_keys(const KeyGraph& graph, const ::Query* base, const Part& part) {
    for (int i = 0; i < ::list_length(graph.refs); ++i) {
        auto* inner = static_cast<DistributedRef*>(::list_nth(graph.refs, i));
        if (inner->level == base) {
            continue;
        }
        bool reached = false;
        for (int j = 0; j < ::list_length(graph.refs) && !reached; ++j) {
            auto* outer = static_cast<DistributedRef*>(::list_nth(graph.refs, j));
            bool is_key = false;
            for (int k = 0; k < ::list_length(part.keys); ++k) {
                is_key = is_key || static_cast<::Var*>(::list_nth(part.keys, k))->varno ==
                                       static_cast<int>(outer->rti);
            }
            reached =
                outer->level == base && is_key && reaches(graph, outer->key_node, inner->key_node);
        }
        if (!reached || inner->table->group != part.group) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool is_broadcast(const Rewrite& rewrite, const ::RangeTblEntry* rte) {
    if (rte->rtekind != RTE_CTE) {
        return false;
    }
    for (int i = 0; i < ::list_length(rewrite.broadcasts); ++i) {
        auto* broadcast = static_cast<Broadcast*>(::list_nth(rewrite.broadcasts, i));
        if (std::strcmp(broadcast->name, rte->ctename) == 0) {
            return true;
        }
    }
    return false;
}

bool reads_other_with(const Rewrite& rewrite, ::Node* node) {
    With with = {&rewrite, node != nullptr && IsA(node, Query) ? -1 : 0};
    return find_other_with(node, &with);
}

bool can_go_inside(::Node* condition) {
    return condition == nullptr ||
           (!::checkExprHasSubLink(condition) && !refers_outward(condition) &&
            sendable_expression(condition) && is_shippable(condition) &&
            !::contain_volatile_functions(condition));
}

bool can_go_inside_with_queries(const QueryLevel& level, const Part& part, ::Node* condition) {
    Oid role = part.role;
    if (refers_outward(condition) || find_obstacle(condition, &role) || !is_shippable(condition) ||
        ::contain_volatile_functions(condition) || (role != InvalidOid && !part.has_role)) {
        return false;
    }
    ::Query* base = part_of_level(level.query, part.items, ::list_make1(condition));
    KeyGraph* graph = build_key_graph(*level.rewrite->herd, base);
    return !graph->has_local && !graph->has_system_column && !graph->has_foreign_modify &&
           !reads_other_with(*level.rewrite, condition) && follows_keys(*graph, base, part);
}

::List* conditions_inside(const QueryLevel& level, const Part& part) {
    ::List* inside = NIL;
    ::List* conditions = conditions_of(level.query->jointree->quals);
    for (int i = 0; i < ::list_length(conditions); ++i) {
        auto* condition = static_cast<::Node*>(::list_nth(conditions, i));
        ::Bitmapset* read = entries_read(condition);
        if (!::bms_is_empty(read) && ::bms_is_subset(read, part.entries) &&
            (::checkExprHasSubLink(condition) ? can_go_inside_with_queries(level, part, condition)
                                              : can_go_inside(condition))) {
            inside = ::lappend(inside, condition);
        }
    }
    return inside;
}

::List* find_parts(QueryLevel& level) {
    ::List* parts = NIL;
    level.inner = NIL;
    ::FromExpr* from = level.query->jointree;
    for (int i = 0; i < ::list_length(from->fromlist); ++i) {
        parts = ::lappend(parts, visit(level, static_cast<::Node*>(::list_nth(from->fromlist, i))));
    }
    ::List* conditions = conditions_of(from->quals);
    while (join_two(&parts, conditions, true)) {
    }
    while (join_two(&parts, conditions, false)) {
    }
    return parts;
}

}  // namespace herd::planner
