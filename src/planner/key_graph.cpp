#include "planner/key_graph.hpp"

#include <cstring>

#include "pg/compat.hpp"
#include "planner/key_conditions.hpp"

extern "C" {
#include "access/hash.h"
#include "access/sysattr.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
}

namespace herd::planner {

namespace {

void visit_query(Walk& walk, ::Query* query, const Level* parent);

struct SublinkContext {
    Walk* walk;
    const Level* level;
};

bool visit_sublinks(::Node* node, void* context) {
    if (node == nullptr) {
        return false;
    }
    auto* state = static_cast<SublinkContext*>(context);
    if (IsA(node, SubLink)) {
        auto* sublink = reinterpret_cast<::SubLink*>(node);
        visit_query(*state->walk, reinterpret_cast<::Query*>(sublink->subselect), state->level);
        return pg::compat::walk_expression(sublink->testexpr, visit_sublinks, context);
    }
    if (IsA(node, Var)) {
        // System columns and whole rows of distributed tables at any level.
        auto* var = reinterpret_cast<::Var*>(node);
        const Level* at = state->level;
        for (::Index up = 0; up < var->varlevelsup && at != nullptr; ++up) {
            at = at->parent;
        }
        if (at != nullptr && var->varattno < 0) {
            ::RangeTblEntry* rte = rt_fetch(var->varno, at->query->rtable);
            if (rte->rtekind == RTE_RELATION && state->walk->herd->find(rte->relid) != nullptr) {
                KeyGraph* graph = state->walk->graph;
                graph->has_system_column = true;
                graph->has_table_number =
                    graph->has_table_number || var->varattno == TableOidAttributeNumber;
            }
        }
        return false;
    }
    if (IsA(node, Query)) {
        return false;  // subqueries in FROM are visited as entries
    }
    return pg::compat::walk_expression(node, visit_sublinks, context);
}

void visit_relation(Walk& walk, ::Query* query, ::Index rti, ::RangeTblEntry* rte) {
    const catalog::Table* table = walk.herd->find(rte->relid);
    if (table == nullptr) {
        // System catalogues are the same kind of local: their rows are this server's.
        if (rte->relkind != RELKIND_VIEW) {
            walk.graph->has_local = true;
        }
    } else if (table->kind == TableKind::kReference) {
        walk.graph->has_reference = true;
    } else {
        auto* ref = static_cast<DistributedRef*>(::palloc0(sizeof(DistributedRef)));
        ref->table = table;
        ref->level = query;
        ref->rti = rti;
        ref->key_node = column_node(*walk.graph, query, rti, table->key_attnum);
        walk.graph->refs = ::lappend(walk.graph->refs, ref);
    }
}

// INSERT ... SELECT: the new row's key is the column that it is taken from.
void visit_insert(Walk& walk, ::Query* query, const Level& level) {
    const catalog::Table* table =
        walk.herd->find(rt_fetch(query->resultRelation, query->rtable)->relid);
    if (table == nullptr || table->kind != TableKind::kDistributed) {
        return;
    }
    for (int i = 0; i < ::list_length(query->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(query->targetList, i));
        if (entry->resno != table->key_attnum) {
            continue;
        }
        int source = node_of_var(walk, reinterpret_cast<::Node*>(entry->expr), &level);
        if (source >= 0) {
            int target = column_node(*walk.graph, query,
                                     static_cast<::Index>(query->resultRelation), entry->resno);
            add_edge(*walk.graph, target, source);
            add_edge(*walk.graph, source, target);
        }
    }
}

// The query that a CTE reference reads, or nullptr for one that refers to itself.
::CommonTableExpr* find_cte(const ::RangeTblEntry* rte, const Level* level) {
    for (::Index up = 0; up < rte->ctelevelsup && level != nullptr; ++up) {
        level = level->parent;
    }
    if (level == nullptr) {
        return nullptr;
    }
    for (int i = 0; i < ::list_length(level->query->cteList); ++i) {
        auto* cte = static_cast<::CommonTableExpr*>(::list_nth(level->query->cteList, i));
        if (std::strcmp(cte->ctename, rte->ctename) == 0) {
            return cte;
        }
    }
    return nullptr;
}

void visit_entries(Walk& walk, ::Query* query, const Level& level) {
    for (int i = 0; i < ::list_length(query->rtable); ++i) {
        auto* rte = static_cast<::RangeTblEntry*>(::list_nth(query->rtable, i));
        auto rti = static_cast<::Index>(i + 1);
        if (query->onConflict != nullptr && query->onConflict->exclRelIndex == i + 1) {
            continue;  // "excluded": no table, the row at hand
        }
        if (rte->rtekind == RTE_RELATION) {
            visit_relation(walk, query, rti, rte);
        } else if (rte->rtekind == RTE_NAMEDTUPLESTORE) {
            walk.graph->has_local = true;
        } else if (rte->rtekind == RTE_SUBQUERY) {
            visit_query(walk, rte->subquery, &level);
            Level inside = {rte->subquery, &level};
            link_outputs(walk, query, rti, rte->subquery, &inside, true);
        } else if (rte->rtekind == RTE_CTE && !rte->self_reference) {
            ::CommonTableExpr* cte = find_cte(rte, &level);
            if (cte != nullptr && !cte->cterecursive) {
                auto* subquery = reinterpret_cast<::Query*>(cte->ctequery);
                Level inside = {subquery, nullptr};
                // What one reader alone needs of it, the query may leave out for all.
                link_outputs(walk, query, rti, subquery, &inside, cte->cterefcount == 1);
            }
        }
    }
}

void visit_query(Walk& walk, ::Query* query, const Level* parent) {
    Level level = {query, parent};
    if (parent != nullptr && query->commandType != CMD_SELECT) {
        walk.graph->has_foreign_modify = true;
    }
    for (int i = 0; i < ::list_length(query->cteList); ++i) {
        auto* cte = static_cast<::CommonTableExpr*>(::list_nth(query->cteList, i));
        visit_query(walk, reinterpret_cast<::Query*>(cte->ctequery), &level);
    }
    visit_entries(walk, query, level);
    if (parent == nullptr && query->commandType == CMD_INSERT) {
        visit_insert(walk, query, level);
    }
    Scope inner = {nullptr, false};
    visit_jointree(walk, reinterpret_cast<::Node*>(query->jointree), &level, inner);
    for (int i = 0; i < ::list_length(query->rtable); ++i) {
        auto* rte = static_cast<::RangeTblEntry*>(::list_nth(query->rtable, i));
        visit_condition(walk, reinterpret_cast<::Node*>(rte->securityQuals), &level, inner);
    }
    SublinkContext context = {&walk, &level};
    pg::compat::walk_query(query, visit_sublinks, &context,
                           QTW_IGNORE_RT_SUBQUERIES | QTW_IGNORE_CTE_SUBQUERIES);
}

::Node* find_value(const KeyGraph& graph, int node, ::Node* Column::*kind, ::Bitmapset** seen) {
    auto* column = static_cast<Column*>(::list_nth(graph.columns, node));
    if (column->*kind != nullptr) {
        return column->*kind;
    }
    *seen = ::bms_add_member(*seen, node);
    for (int i = 0; i < ::list_length(graph.edges); ++i) {
        auto* edge = static_cast<Edge*>(::list_nth(graph.edges, i));
        if (edge->to == node && !::bms_is_member(edge->from, *seen)) {
            ::Node* value = find_value(graph, edge->from, kind, seen);
            if (value != nullptr) {
                return value;
            }
        }
    }
    return nullptr;
}

bool find_path(const KeyGraph& graph, int from, int to, ::Bitmapset** seen) {
    if (from == to) {
        return true;
    }
    *seen = ::bms_add_member(*seen, from);
    for (int i = 0; i < ::list_length(graph.edges); ++i) {
        auto* edge = static_cast<Edge*>(::list_nth(graph.edges, i));
        if (edge->from == from && !::bms_is_member(edge->to, *seen) &&
            find_path(graph, edge->to, to, seen)) {
            return true;
        }
    }
    return false;
}

}  // namespace

KeyGraph* build_key_graph(const catalog::Catalog& herd, ::Query* query) {
    auto* graph = static_cast<KeyGraph*>(::palloc0(sizeof(KeyGraph)));
    Walk walk = {&herd, graph};
    visit_query(walk, query, nullptr);
    return graph;
}

::Node* fixed_value(const KeyGraph& graph, int node) {
    ::Bitmapset* seen = nullptr;
    return find_value(graph, node, &Column::value, &seen);
}

::Node* fixed_values(const KeyGraph& graph, int node) {
    ::Bitmapset* seen = nullptr;
    return find_value(graph, node, &Column::values, &seen);
}

::Node* common_keys(const KeyGraph& graph, bool* is_array) {
    ::Node* common = nullptr;
    for (int i = 0; i < ::list_length(graph.refs); ++i) {
        auto* ref = static_cast<DistributedRef*>(::list_nth(graph.refs, i));
        ::Node* value = fixed_value(graph, ref->key_node);
        ::Node* keys = value != nullptr ? value : fixed_values(graph, ref->key_node);
        if (keys == nullptr || (common != nullptr && !equal(common, keys))) {
            return nullptr;
        }
        common = keys;
        *is_array = value == nullptr;
    }
    return common;
}

bool reaches(const KeyGraph& graph, int from, int to) {
    ::Bitmapset* seen = nullptr;
    return find_path(graph, from, to, &seen);
}

bool is_hash_equality(Oid operator_, Oid key_type, Oid other) {
    if (!OidIsValid(operator_)) {
        return false;
    }
    ::TypeCacheEntry* type = ::lookup_type_cache(::getBaseType(key_type), TYPECACHE_HASH_OPFAMILY);
    if (!OidIsValid(type->hash_opf) || !::op_in_opfamily(operator_, type->hash_opf)) {
        return false;
    }
    // Both sides hash alike within the family; the other side's type must have its own function
    // there, or be taken for the key's (varchar for text, a domain for its base).
    Oid base = ::getBaseType(other);
    return OidIsValid(::get_opfamily_proc(type->hash_opf, base, base, HASHEXTENDED_PROC)) ||
           ::IsBinaryCoercible(base, type->hash_opintype) ||
           ::IsBinaryCoercible(base, ::getBaseType(key_type));
}

}  // namespace herd::planner
