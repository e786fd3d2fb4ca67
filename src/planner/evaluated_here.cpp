#include "planner/evaluated_here.hpp"

#include <cstring>

#include "pg/compat.hpp"
#include "pg/wire_types.hpp"
#include "planner/function_rules.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

// Node types that can stand where a parameter can.
bool is_replaceable(const ::Node* node) {
    switch (nodeTag(node)) {
        case T_FuncExpr:
        case T_OpExpr:
        case T_DistinctExpr:
        case T_NullIfExpr:
        case T_ScalarArrayOpExpr:
        case T_BoolExpr:
        case T_SubscriptingRef:
        case T_FieldSelect:
        case T_RelabelType:
        case T_CoerceViaIO:
        case T_ArrayCoerceExpr:
        case T_ConvertRowtypeExpr:
        case T_CaseExpr:
        case T_ArrayExpr:
        case T_RowExpr:
        case T_RowCompareExpr:
        case T_CoalesceExpr:
        case T_MinMaxExpr:
        case T_SQLValueFunction:
        case T_XmlExpr:
        case T_NullTest:
        case T_BooleanTest:
        case T_CoerceToDomain:
            return true;
        default:
            return false;
    }
}

// What ties an expression to a row, a place in the plan, or a statement's side effects.
bool is_bound(const ::Node* node) {
    switch (nodeTag(node)) {
        case T_Var:
        case T_Aggref:
        case T_GroupingFunc:
        case T_WindowFunc:
        case T_SubLink:
        case T_Query:
        case T_PlaceHolderVar:
        case T_CaseTestExpr:
        case T_CoerceToDomainValue:
        case T_SetToDefault:
        case T_CurrentOfExpr:
        case T_NextValueExpr:
        case T_InferenceElem:
        case T_FieldStore:
            return true;
        case T_Param:
            return reinterpret_cast<const ::Param*>(node)->paramkind != PARAM_EXTERN;
        case T_SubscriptingRef:
            return reinterpret_cast<const ::SubscriptingRef*>(node)->refassgnexpr != nullptr;
        case T_FuncExpr:
            return reinterpret_cast<const ::FuncExpr*>(node)->funcretset;
        case T_OpExpr:
            return reinterpret_cast<const ::OpExpr*>(node)->opretset;
        default:
            return false;
    }
}

// Finds a cursor's row on the server that has it.
bool finds_row(Oid function) {
    constexpr const char* kNames[] = {"row_place", "row_table"};
    const char* name = ::get_func_name(function);
    for (const char* found : kNames) {
        if (std::strcmp(name, found) == 0) {
            return ::get_func_namespace(function) == ::get_namespace_oid("herd", true);
        }
    }
    return false;
}

bool look_at_function(Oid function, void* context) {
    char volatility = ::func_volatile(function);
    if (volatility == PROVOLATILE_VOLATILE ||
        (function >= FirstNormalObjectId && finds_row(function))) {
        return true;
    }
    if (volatility == PROVOLATILE_STABLE ||
        (function >= FirstNormalObjectId && !is_shippable_function(function, false))) {
        *static_cast<bool*>(context) = true;
    }
    return false;
}

// True when the expression can't be computed on its own; sets the flag when it should be.
bool find_bound(::Node* node, void* context) {
    if (node == nullptr) {
        return false;
    }
    if (is_bound(node) || ::check_functions_in_node(node, look_at_function, context)) {
        return true;
    }
    if (IsA(node, SQLValueFunction)) {
        *static_cast<bool*>(context) = true;
    }
    return pg::compat::walk_expression(node, find_bound, context);
}

}  // namespace

bool is_evaluated_here(::Node* node) {
    if (node == nullptr || !is_replaceable(node)) {
        return false;
    }
    bool needed = false;
    if (find_bound(node, &needed) || !needed) {
        return false;
    }
    Oid type = ::exprType(node);
    return pg::crosses_by_name(type) || !pg::has_local_value_type(type);
}

}  // namespace herd::planner
