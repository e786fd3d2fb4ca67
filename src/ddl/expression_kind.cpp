// PostgreSQL style: the walkers own nothing.
#include "ddl/expression_kind.hpp"

#include <string>

#include "pg/compat.hpp"

extern "C" {
#include "access/table.h"
#include "access/transam.h"
#include "catalog/heap.h"
#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "parser/parse_type.h"
#include "rewrite/rewriteHandler.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
}

namespace herd::ddl {

namespace {

bool is_serial(const ::TypeName* type) {
    if (list_length(type->names) != 1 || type->pct_type) {
        return false;
    }
    const std::string name = strVal(linitial(type->names));
    return name == "serial" || name == "serial4" || name == "bigserial" || name == "serial8" ||
           name == "smallserial" || name == "serial2";
}

struct Found {
    bool sequence = false;
    bool user_volatile = false;
};

bool check_function(Oid function, void* context) {
    auto* found = static_cast<Found*>(context);
    if (function == F_NEXTVAL) {
        found->sequence = true;
    } else if (function >= FirstNormalObjectId &&
               ::func_volatile(function) == PROVOLATILE_VOLATILE) {
        found->user_volatile = true;
    }
    return false;
}

bool look_into(::Node* node, void* context) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, NextValueExpr)) {
        static_cast<Found*>(context)->sequence = true;
    }
    ::check_functions_in_node(node, check_function, context);
    return pg::compat::walk_expression(node, look_into, context);
}

// The clock and the like: stable functions of nothing but the transaction.
bool find_clock(::Node* node, void* context) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, SQLValueFunction)) {
        return true;
    }
    if (IsA(node, FuncExpr)) {
        auto* call = reinterpret_cast<::FuncExpr*>(node);
        bool built_in_cast = call->funcid < FirstNormalObjectId && call->args != NIL;
        if (!built_in_cast && ::func_volatile(call->funcid) == PROVOLATILE_STABLE) {
            return true;
        }
    }
    return pg::compat::walk_expression(node, find_clock, context);
}

ExpressionKind kind_of_volatile(::Node* expression) {
    Found found;
    look_into(expression, &found);
    return found.sequence        ? ExpressionKind::kSequence
           : found.user_volatile ? ExpressionKind::kUnknown
                                 : ExpressionKind::kRandom;
}

ExpressionKind kind_of_default(::Node* expression) {
    if (::contain_volatile_functions(expression)) {
        return kind_of_volatile(expression);
    }
    return ::contain_mutable_functions(expression) ? ExpressionKind::kStable
                                                   : ExpressionKind::kConstant;
}

::Node* raw_default(const ::ColumnDef* column) {
    for (int i = 0; i < list_length(column->constraints); ++i) {
        const auto* constraint = static_cast<const ::Constraint*>(list_nth(column->constraints, i));
        if (constraint->contype == CONSTR_DEFAULT) {
            return constraint->raw_expr;
        }
    }
    return column->raw_default;
}

bool has_identity(const ::ColumnDef* column) {
    for (int i = 0; i < list_length(column->constraints); ++i) {
        const auto* constraint = static_cast<const ::Constraint*>(list_nth(column->constraints, i));
        if (constraint->contype == CONSTR_IDENTITY) {
            return true;
        }
    }
    return column->identity != '\0';
}

ExpressionKind default_kind_unguarded(const ::ColumnDef* column) {
    if (has_identity(column) || is_serial(column->typeName)) {
        return ExpressionKind::kSequence;
    }
    Oid type = InvalidOid;
    int32 typmod = -1;
    ::typenameTypeIdAndMod(nullptr, column->typeName, &type, &typmod);
    ::Node* raw = raw_default(column);
    if (raw == nullptr) {
        ::Node* of_domain = ::get_typdefault(type);
        return of_domain == nullptr ? ExpressionKind::kConstant : kind_of_default(of_domain);
    }
    ::ParseState* state = ::make_parsestate(nullptr);
    return kind_of_default(::cookDefault(state, static_cast<::Node*>(copyObjectImpl(raw)), type,
                                         typmod, column->colname, '\0'));
}

ExpressionKind conversion_kind_unguarded(Oid relid, ::Node* raw_expression) {
    ::Relation relation = ::table_open(relid, NoLock);
    ::ParseState* state = ::make_parsestate(nullptr);
    ::ParseNamespaceItem* item =
        ::addRangeTableEntryForRelation(state, relation, AccessShareLock, nullptr, false, true);
    ::addNSItemToQuery(state, item, false, true, true);
    ::Node* expression = ::transformExpr(
        state, static_cast<::Node*>(copyObjectImpl(raw_expression)), EXPR_KIND_ALTER_COL_TRANSFORM);
    ::table_close(relation, NoLock);
    if (::contain_volatile_functions(expression)) {
        return kind_of_volatile(expression);
    }
    return find_clock(expression, nullptr) ? ExpressionKind::kStable : ExpressionKind::kConstant;
}

}  // namespace

ExpressionKind default_kind(const ::ColumnDef* column) {
    return pg::call([&] { return default_kind_unguarded(column); });
}

ExpressionKind conversion_kind(Oid relid, ::Node* raw_expression) {
    return pg::call([&] { return conversion_kind_unguarded(relid, raw_expression); });
}

}  // namespace herd::ddl
