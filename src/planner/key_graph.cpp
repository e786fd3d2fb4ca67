#include "planner/key_graph.hpp"

#include <cstring>

#include "pg/compat.hpp"

extern "C" {
#include "access/hash.h"
#include "access/sysattr.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parse_clause.h"
#include "parser/parse_coerce.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
}

namespace herd::planner {

namespace {

struct Column {
    ::Query* level;
    ::Index rti;
    ::AttrNumber attno;
    ::Node* value;  // fixed by a condition of its own
};

struct Edge {
    int from;
    int to;
};

// Where the walk is: the query level and its ancestors, innermost first.
struct Level {
    ::Query* query;
    const Level* parent;
};

struct Walk {
    const catalog::Catalog* herd;
    KeyGraph* graph;
};

void visit_query(Walk& walk, ::Query* query, const Level* parent);

int column_node(KeyGraph& graph, ::Query* level, ::Index rti, ::AttrNumber attno) {
    for (int i = 0; i < ::list_length(graph.columns); ++i) {
        auto* column = static_cast<Column*>(::list_nth(graph.columns, i));
        if (column->level == level && column->rti == rti && column->attno == attno) {
            return i;
        }
    }
    auto* column = static_cast<Column*>(::palloc0(sizeof(Column)));
    column->level = level;
    column->rti = rti;
    column->attno = attno;
    graph.columns = ::lappend(graph.columns, column);
    return ::list_length(graph.columns) - 1;
}

void add_edge(KeyGraph& graph, int from, int to) {
    auto* edge = static_cast<Edge*>(::palloc(sizeof(Edge)));
    edge->from = from;
    edge->to = to;
    graph.edges = ::lappend(graph.edges, edge);
}

::Node* strip(::Node* node) {
    while (node != nullptr && IsA(node, RelabelType)) {
        node = reinterpret_cast<::Node*>(reinterpret_cast<::RelabelType*>(node)->arg);
    }
    return node;
}

// The graph's node of a column reference, following join aliases; -1 for what is not a plain
// column.
int node_of_var(Walk& walk, ::Node* expression, const Level* level) {
    ::Node* stripped = strip(expression);
    while (stripped != nullptr && IsA(stripped, Var)) {
        auto* var = reinterpret_cast<::Var*>(stripped);
        const Level* at = level;
        for (::Index up = 0; up < var->varlevelsup; ++up) {
            at = at == nullptr ? nullptr : at->parent;
        }
        if (at == nullptr || var->varattno <= 0) {
            return -1;
        }
        ::RangeTblEntry* rte = rt_fetch(var->varno, at->query->rtable);
        if (rte->rtekind != RTE_JOIN) {
            return column_node(*walk.graph, at->query, static_cast<::Index>(var->varno),
                               var->varattno);
        }
        level = at;
        stripped = strip(static_cast<::Node*>(::list_nth(rte->joinaliasvars, var->varattno - 1)));
    }
    return -1;
}

bool is_value(::Node* node) {
    return !::contain_var_clause(node) && !::contain_vars_of_level(node, 1) &&
           !::contain_vars_of_level(node, 2) && !::contain_subplans(node) &&
           !::checkExprHasSubLink(node) && !::contain_volatile_functions(node) &&
           !::contain_agg_clause(node);
}

// Which columns a condition may restrict: all at an inner place, only the nullable side's in an
// outer join's ON.
struct Scope {
    ::Bitmapset* nullable;  // rtis of the nullable side, when outer is true
    bool outer;
};

bool may_restrict(const Walk& walk, const Scope& scope, int node, const ::Query* level) {
    if (!scope.outer) {
        return true;
    }
    auto* column = static_cast<Column*>(::list_nth(walk.graph->columns, node));
    return column->level == level && ::bms_is_member(static_cast<int>(column->rti), scope.nullable);
}

void equate(Walk& walk, ::Node* left, ::Node* right, Oid operator_, const Level* level,
            const Scope& scope) {
    int left_node = node_of_var(walk, left, level);
    int right_node = node_of_var(walk, right, level);
    Oid left_type = ::exprType(strip(left));
    Oid right_type = ::exprType(strip(right));
    if (left_node >= 0 && right_node >= 0) {
        if (!is_hash_equality(operator_, left_type, right_type)) {
            return;
        }
        auto* left_column = static_cast<Column*>(::list_nth(walk.graph->columns, left_node));
        auto* right_column = static_cast<Column*>(::list_nth(walk.graph->columns, right_node));
        // A correlated condition restricts the inner query only.
        if (may_restrict(walk, scope, right_node, level->query) &&
            right_column->level == level->query) {
            add_edge(*walk.graph, left_node, right_node);
        }
        if (may_restrict(walk, scope, left_node, level->query) &&
            left_column->level == level->query) {
            add_edge(*walk.graph, right_node, left_node);
        }
        return;
    }
    if (left_node < 0 && right_node >= 0) {
        equate(walk, right, left, ::get_commutator(operator_), level, scope);
        return;
    }
    if (left_node >= 0 && is_value(right) &&
        is_hash_equality(operator_, left_type, ::exprType(right)) &&
        may_restrict(walk, scope, left_node, level->query)) {
        auto* column = static_cast<Column*>(::list_nth(walk.graph->columns, left_node));
        if (column->level == level->query && column->value == nullptr) {
            column->value = right;
        }
    }
}

// Whether a condition on an output column of a subquery may be applied to its input rows.
bool may_push_into(const ::Query* subquery, const ::TargetEntry* output) {
    if (subquery->commandType != CMD_SELECT || subquery->limitCount != nullptr ||
        subquery->limitOffset != nullptr || subquery->hasWindowFuncs ||
        subquery->setOperations != nullptr || subquery->hasTargetSRFs ||
        subquery->groupingSets != NIL || subquery->hasForUpdate) {
        return false;
    }
    if (subquery->groupClause != NIL || subquery->hasAggs || subquery->havingQual != nullptr) {
        return ::targetIsInSortList(const_cast<::TargetEntry*>(output), InvalidOid,
                                    subquery->groupClause);
    }
    if (subquery->hasDistinctOn) {
        return ::targetIsInSortList(const_cast<::TargetEntry*>(output), InvalidOid,
                                    subquery->distinctClause);
    }
    return true;
}

void link_outputs(Walk& walk, ::Query* outer, ::Index rti, ::Query* subquery, const Level* inside,
                  bool may_push) {
    if (subquery->setOperations != nullptr || subquery->commandType != CMD_SELECT) {
        return;
    }
    for (int i = 0; i < ::list_length(subquery->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(subquery->targetList, i));
        int inner =
            entry->resjunk ? -1 : node_of_var(walk, reinterpret_cast<::Node*>(entry->expr), inside);
        if (inner < 0) {
            continue;
        }
        int outside = column_node(*walk.graph, outer, rti, entry->resno);
        add_edge(*walk.graph, inner, outside);
        if (may_push && may_push_into(subquery, entry)) {
            add_edge(*walk.graph, outside, inner);
        }
    }
}

void visit_condition(Walk& walk, ::Node* node, const Level* level, const Scope& scope);

// a IN (SELECT b ...): like a semi-join.
void visit_any_sublink(Walk& walk, ::SubLink* sublink, const Level* level, const Scope& scope) {
    auto* test = reinterpret_cast<::OpExpr*>(sublink->testexpr);
    auto* subquery = reinterpret_cast<::Query*>(sublink->subselect);
    if (scope.outer || test == nullptr || !IsA(test, OpExpr) || ::list_length(test->args) != 2) {
        return;
    }
    auto* param = reinterpret_cast<::Param*>(strip(static_cast<::Node*>(lsecond(test->args))));
    if (!IsA(param, Param) || param->paramkind != PARAM_SUBLINK) {
        return;
    }
    int outside = node_of_var(walk, static_cast<::Node*>(linitial(test->args)), level);
    auto* output =
        static_cast<::TargetEntry*>(::list_nth(subquery->targetList, param->paramid - 1));
    Level inside = {subquery, level};
    int inner = node_of_var(walk, reinterpret_cast<::Node*>(output->expr), &inside);
    if (outside < 0 || inner < 0 ||
        !is_hash_equality(test->opno, ::exprType(strip(static_cast<::Node*>(linitial(test->args)))),
                          ::exprType(strip(reinterpret_cast<::Node*>(output->expr))))) {
        return;
    }
    add_edge(*walk.graph, inner, outside);
    if (may_push_into(subquery, output)) {
        add_edge(*walk.graph, outside, inner);
    }
}

void visit_condition(Walk& walk, ::Node* node, const Level* level, const Scope& scope) {
    if (node == nullptr) {
        return;
    }
    if (IsA(node, List)) {
        for (int i = 0; i < ::list_length(reinterpret_cast<::List*>(node)); ++i) {
            visit_condition(walk,
                            static_cast<::Node*>(::list_nth(reinterpret_cast<::List*>(node), i)),
                            level, scope);
        }
    } else if (::is_andclause(node)) {
        visit_condition(walk, reinterpret_cast<::Node*>(reinterpret_cast<::BoolExpr*>(node)->args),
                        level, scope);
    } else if (IsA(node, OpExpr)) {
        auto* operation = reinterpret_cast<::OpExpr*>(node);
        if (::list_length(operation->args) == 2) {
            equate(walk, static_cast<::Node*>(linitial(operation->args)),
                   static_cast<::Node*>(lsecond(operation->args)), operation->opno, level, scope);
        }
    } else if (IsA(node, SubLink) &&
               reinterpret_cast<::SubLink*>(node)->subLinkType == ANY_SUBLINK) {
        visit_any_sublink(walk, reinterpret_cast<::SubLink*>(node), level, scope);
    }
}

::Bitmapset* rtis_of(::Node* jointree) {
    if (IsA(jointree, RangeTblRef)) {
        return ::bms_make_singleton(reinterpret_cast<::RangeTblRef*>(jointree)->rtindex);
    }
    ::Bitmapset* all = nullptr;
    if (IsA(jointree, FromExpr)) {
        ::List* items = reinterpret_cast<::FromExpr*>(jointree)->fromlist;
        for (int i = 0; i < ::list_length(items); ++i) {
            all = ::bms_join(all, rtis_of(static_cast<::Node*>(::list_nth(items, i))));
        }
    } else {
        auto* join = reinterpret_cast<::JoinExpr*>(jointree);
        all = ::bms_join(rtis_of(join->larg), rtis_of(join->rarg));
    }
    return all;
}

void visit_jointree(Walk& walk, ::Node* node, const Level* level, const Scope& scope) {
    if (node == nullptr || IsA(node, RangeTblRef)) {
        return;
    }
    if (IsA(node, FromExpr)) {
        auto* from = reinterpret_cast<::FromExpr*>(node);
        for (int i = 0; i < ::list_length(from->fromlist); ++i) {
            visit_jointree(walk, static_cast<::Node*>(::list_nth(from->fromlist, i)), level, scope);
        }
        visit_condition(walk, from->quals, level, scope);
        return;
    }
    auto* join = reinterpret_cast<::JoinExpr*>(node);
    // What stands below the nullable side can restrict that side only; FULL restricts neither.
    switch (join->jointype) {
        case JOIN_INNER:
            visit_jointree(walk, join->larg, level, scope);
            visit_jointree(walk, join->rarg, level, scope);
            visit_condition(walk, join->quals, level, scope);
            break;
        case JOIN_LEFT: {
            Scope right = {rtis_of(join->rarg), true};
            visit_jointree(walk, join->larg, level, scope);
            visit_jointree(walk, join->rarg, level, right);
            visit_condition(walk, join->quals, level, right);
            break;
        }
        case JOIN_RIGHT: {
            Scope left = {rtis_of(join->larg), true};
            visit_jointree(walk, join->larg, level, left);
            visit_jointree(walk, join->rarg, level, scope);
            visit_condition(walk, join->quals, level, left);
            break;
        }
        default:
            break;
    }
}

bool visit_sublinks(::Node* node, void* context);

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

::Node* find_value(const KeyGraph& graph, int node, ::Bitmapset** seen) {
    auto* column = static_cast<Column*>(::list_nth(graph.columns, node));
    if (column->value != nullptr) {
        return column->value;
    }
    *seen = ::bms_add_member(*seen, node);
    for (int i = 0; i < ::list_length(graph.edges); ++i) {
        auto* edge = static_cast<Edge*>(::list_nth(graph.edges, i));
        if (edge->to == node && !::bms_is_member(edge->from, *seen)) {
            ::Node* value = find_value(graph, edge->from, seen);
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
    return find_value(graph, node, &seen);
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
