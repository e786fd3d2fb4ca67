#include "planner/key_conditions.hpp"

extern "C" {
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parse_clause.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

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

namespace {

::Node* strip(::Node* node) {
    while (node != nullptr && IsA(node, RelabelType)) {
        node = reinterpret_cast<::Node*>(reinterpret_cast<::RelabelType*>(node)->arg);
    }
    return node;
}

}  // namespace

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

namespace {

bool is_value(::Node* node) {
    return !::contain_var_clause(node) && !::contain_vars_of_level(node, 1) &&
           !::contain_vars_of_level(node, 2) && !::contain_subplans(node) &&
           !::checkExprHasSubLink(node) && !::contain_volatile_functions(node) &&
           !::contain_agg_clause(node);
}

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

}  // namespace

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

namespace {

void visit_list_of_keys(Walk& walk, ::Node* condition, const Level* level, const Scope& scope) {
    ::Node* column_side = nullptr;
    ::Node* array = array_of_keys(condition, &column_side);
    int node = array == nullptr ? -1 : node_of_var(walk, column_side, level);
    if (node >= 0 && may_restrict(walk, scope, node, level->query)) {
        auto* column = static_cast<Column*>(::list_nth(walk.graph->columns, node));
        if (column->level == level->query && column->values == nullptr) {
            column->values = array;
        }
    }
}

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

}  // namespace

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
    } else if (IsA(node, ScalarArrayOpExpr)) {
        visit_list_of_keys(walk, node, level, scope);
    } else if (IsA(node, SubLink) &&
               reinterpret_cast<::SubLink*>(node)->subLinkType == ANY_SUBLINK) {
        visit_any_sublink(walk, reinterpret_cast<::SubLink*>(node), level, scope);
    }
}

namespace {

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

}  // namespace

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

::Node* array_of_keys(::Node* condition, ::Node** column) {
    auto* operation = reinterpret_cast<::ScalarArrayOpExpr*>(condition);
    if (!IsA(operation, ScalarArrayOpExpr) || !operation->useOr) {
        return nullptr;
    }
    *column = static_cast<::Node*>(linitial(operation->args));
    auto* array = static_cast<::Node*>(lsecond(operation->args));
    Oid element = ::get_element_type(::exprType(array));
    bool fits = OidIsValid(element) && is_value(array) &&
                is_hash_equality(operation->opno, ::exprType(strip(*column)), element);
    return fits ? array : nullptr;
}

::Node* value_of_key(::Node* condition, ::Node** column) {
    auto* operation = reinterpret_cast<::OpExpr*>(condition);
    if (!IsA(operation, OpExpr) || ::list_length(operation->args) != 2) {
        return nullptr;
    }
    for (int side = 0; side < 2; ++side) {
        *column = static_cast<::Node*>(::list_nth(operation->args, side));
        auto* value = static_cast<::Node*>(::list_nth(operation->args, 1 - side));
        Oid equality = side == 0 ? operation->opno : ::get_commutator(operation->opno);
        if (is_value(value) &&
            is_hash_equality(equality, ::exprType(strip(*column)), ::exprType(value))) {
            return value;
        }
    }
    return nullptr;
}

}  // namespace herd::planner
