#include "planner/shape.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "catalog/pg_type_d.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
}

namespace herd::planner {

namespace {

struct Literals {
    ::List* taken;
};

// A parameter for it.
::Node* take(Literals& literals, ::Const* literal) {
    auto* parameter = makeNode(Param);
    parameter->paramkind = PARAM_EXTERN;
    literals.taken = ::lappend(literals.taken, literal);
    parameter->paramid = ::list_length(literals.taken);
    parameter->paramtype = literal->consttype;
    parameter->paramtypmod = literal->consttypmod;
    parameter->paramcollid = literal->constcollid;
    parameter->location = -1;
    return reinterpret_cast<::Node*>(parameter);
}

bool is_value(const ::Node* node) {
    auto* literal = reinterpret_cast<const ::Const*>(node);
    return IsA(node, Const) && !literal->constisnull && literal->consttype != UNKNOWNOID;
}

const ::Var* column_in(const ::Node* node) {
    while (IsA(node, RelabelType)) {
        node = reinterpret_cast<::Node*>(reinterpret_cast<const ::RelabelType*>(node)->arg);
    }
    return IsA(node, Var) ? reinterpret_cast<const ::Var*>(node) : nullptr;
}

// Which literals may be taken out of conditions.
struct Rule {
    const catalog::Catalog* herd;
    const ::Query* query;
};

// Where this server has rows, its own plan should know the values, as one PostgreSQL's does: a
// partial index, or a value that is rare, may decide how to look for them. The distribution key's
// is looked for by its value anyway.
bool may_take(const Rule& rule, const ::Var* column) {
    if (column->varlevelsup != 0 || column->varno <= 0) {
        return false;
    }
    const ::RangeTblEntry* entry = rt_fetch(column->varno, rule.query->rtable);
    const catalog::Table* table =
        entry->rtekind == RTE_RELATION ? rule.herd->find(entry->relid) : nullptr;
    if (table == nullptr || table->kind != TableKind::kDistributed) {
        return false;
    }
    return !table->group->some_here || column->varattno == table->key_attnum;
}

// Column = literal, column < literal and so on, joined by AND.
void take_from_condition(const Rule& rule, Literals& literals, ::Node* condition) {
    if (condition == nullptr) {
        return;
    }
    if (IsA(condition, BoolExpr)) {
        auto* both = reinterpret_cast<::BoolExpr*>(condition);
        for (int i = 0; both->boolop == AND_EXPR && i < ::list_length(both->args); ++i) {
            take_from_condition(rule, literals, static_cast<::Node*>(::list_nth(both->args, i)));
        }
        return;
    }
    auto* comparison = reinterpret_cast<::OpExpr*>(condition);
    if (!IsA(condition, OpExpr) || ::list_length(comparison->args) != 2) {
        return;
    }
    for (int i = 0; i < 2; ++i) {
        ::ListCell* side = list_nth_cell(comparison->args, i);
        const ::Var* column = column_in(static_cast<::Node*>(::list_nth(comparison->args, 1 - i)));
        if (column != nullptr && is_value(static_cast<::Node*>(lfirst(side))) &&
            may_take(rule, column)) {
            lfirst(side) = take(literals, static_cast<::Const*>(lfirst(side)));
        }
    }
}

// A new value: the literal itself, or in arithmetic, or brought to the column's type.
::Node* take_from_value(Literals& literals, ::Node* value) {
    if (is_value(value)) {
        return take(literals, reinterpret_cast<::Const*>(value));
    }
    if (IsA(value, OpExpr)) {
        auto* operation = reinterpret_cast<::OpExpr*>(value);
        for (int i = 0; i < ::list_length(operation->args); ++i) {
            ::ListCell* cell = list_nth_cell(operation->args, i);
            lfirst(cell) = take_from_value(literals, static_cast<::Node*>(lfirst(cell)));
        }
    } else if (IsA(value, FuncExpr)) {
        auto* cast = reinterpret_cast<::FuncExpr*>(value);
        if (cast->funcformat == COERCE_IMPLICIT_CAST && ::list_length(cast->args) == 1) {
            linitial(cast->args) =
                take_from_value(literals, static_cast<::Node*>(linitial(cast->args)));
        }
    } else if (IsA(value, RelabelType)) {
        auto* cast = reinterpret_cast<::RelabelType*>(value);
        cast->arg = reinterpret_cast<::Expr*>(
            take_from_value(literals, reinterpret_cast<::Node*>(cast->arg)));
    }
    return value;
}

// A prepared statement's own, which a generic plan is made without values for.
bool has_parameters(::Node* node, void*) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Param) && reinterpret_cast<::Param*>(node)->paramkind == PARAM_EXTERN) {
        return true;
    }
    return pg::compat::walk_expression(node, has_parameters, nullptr);
}

bool is_simple(const catalog::Catalog& herd, const ::Query* query) {
    if (query->hasSubLinks || query->cteList != NIL || query->setOperations != nullptr ||
        query->hasRowSecurity || query->onConflict != nullptr || query->withCheckOptions != NIL ||
        query->jointree == nullptr || ::list_length(query->rtable) > 4 ||
        (query->commandType != CMD_SELECT && query->commandType != CMD_INSERT &&
         query->commandType != CMD_UPDATE && query->commandType != CMD_DELETE)) {
        return false;
    }
    bool needs_nodes = false;
    for (int i = 0; i < ::list_length(query->rtable); ++i) {
        auto* entry = static_cast<::RangeTblEntry*>(::list_nth(query->rtable, i));
        if (entry->rtekind == RTE_JOIN) {
            continue;
        }
        if (entry->rtekind != RTE_RELATION || entry->securityQuals != NIL) {
            return false;
        }
        const catalog::Table* table = herd.find(entry->relid);
        needs_nodes = needs_nodes || (table != nullptr && table->kind == TableKind::kDistributed &&
                                      !table->group->all_here);
    }
    return needs_nodes;
}

}  // namespace

::Query* shape_of(const catalog::Catalog& herd, const ::Query* query, ::List** literals) {
    if (!is_simple(herd, query) ||
        pg::compat::walk_query(const_cast<::Query*>(query), has_parameters, nullptr, 0)) {
        return nullptr;
    }
    auto* shape = static_cast<::Query*>(copyObjectImpl(query));
    Literals found = {NIL};
    take_from_condition({&herd, shape}, found, shape->jointree->quals);
    if (query->commandType == CMD_INSERT || query->commandType == CMD_UPDATE) {
        for (int i = 0; i < ::list_length(shape->targetList); ++i) {
            auto* entry = static_cast<::TargetEntry*>(::list_nth(shape->targetList, i));
            entry->expr = reinterpret_cast<::Expr*>(
                take_from_value(found, reinterpret_cast<::Node*>(entry->expr)));
        }
    }
    *literals = found.taken;
    return found.taken == NIL ? nullptr : shape;
}

}  // namespace herd::planner
