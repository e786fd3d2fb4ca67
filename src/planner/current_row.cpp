// WHERE CURRENT OF as conditions on the row's place: herd.cursor_row says where it is, and
// herd.row_place and herd.row_table, which run where the rows are, find it there.
#include "pg/compat.hpp"
#include "planner/cursor_plan.hpp"

extern "C" {
#include "access/sysattr.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
}

namespace herd::planner {

namespace {

struct Context {
    const catalog::Table* target;
};

::Expr* call(const char* name, Oid result, ::List* arguments) {
    Oid types[2] = {TEXTOID, OIDOID};
    ::List* names = ::list_make2(::makeString(::pstrdup("herd")), ::makeString(::pstrdup(name)));
    Oid function = ::LookupFuncName(names, ::list_length(arguments), types, false);
    return reinterpret_cast<::Expr*>(::makeFuncExpr(function, result, arguments,
                                                    ::get_typcollation(result),
                                                    DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL));
}

::Expr* cursor_name(const ::CurrentOfExpr* current) {
    if (current->cursor_name != nullptr) {
        return reinterpret_cast<::Expr*>(::makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
                                                     CStringGetTextDatum(current->cursor_name),
                                                     false, false));
    }
    auto* param = makeNode(Param);
    param->paramkind = PARAM_EXTERN;
    param->paramid = current->cursor_param;
    param->paramtype = REFCURSOROID;
    param->paramtypmod = -1;
    param->paramcollid = ::get_typcollation(REFCURSOROID);
    param->location = -1;
    return reinterpret_cast<::Expr*>(::makeRelabelType(reinterpret_cast<::Expr*>(param), TEXTOID,
                                                       -1, DEFAULT_COLLATION_OID,
                                                       COERCE_IMPLICIT_CAST));
}

::Expr* cursor_row(const ::CurrentOfExpr* current, Oid relid) {
    auto* table =
        ::makeConst(OIDOID, -1, InvalidOid, sizeof(Oid), ObjectIdGetDatum(relid), false, true);
    return call("cursor_row", TEXTOID, ::list_make2(cursor_name(current), table));
}

::Expr* column_is(const ::CurrentOfExpr* current, int column, Oid type, unsigned int equality,
                  ::Expr* value) {
    auto* var = ::makeVar(static_cast<int>(current->cvarno), static_cast<::AttrNumber>(column),
                          type, -1, InvalidOid, 0);
    return ::make_opclause(equality, BOOLOID, false, reinterpret_cast<::Expr*>(var), value,
                           InvalidOid, InvalidOid);
}

::Node* replace(::Node* node, void* argument) {
    if (node == nullptr || !IsA(node, CurrentOfExpr)) {
        return pg::compat::mutate_expression(node, replace, argument);
    }
    auto* current = reinterpret_cast<::CurrentOfExpr*>(node);
    Oid relid = static_cast<Context*>(argument)->target->relid;
    ::Expr* place = call("row_place", TIDOID, ::list_make1(cursor_row(current, relid)));
    ::List* conditions = ::list_make1(
        column_is(current, SelfItemPointerAttributeNumber, TIDOID, TIDEqualOperator, place));
    if (::has_subclass(relid)) {
        ::Expr* table = call("row_table", OIDOID, ::list_make1(cursor_row(current, relid)));
        Oid equality = ::lookup_type_cache(OIDOID, TYPECACHE_EQ_OPR)->eq_opr;
        conditions = ::lappend(
            conditions, column_is(current, TableOidAttributeNumber, OIDOID, equality, table));
    }
    return reinterpret_cast<::Node*>(::make_ands_explicit(conditions));
}

}  // namespace

void find_current_row(::Query* query, const catalog::Table& target) {
    if (target.kind != TableKind::kReference && query->jointree->quals != nullptr) {
        Context context = {&target};
        query->jointree->quals = replace(query->jointree->quals, &context);
    }
}

}  // namespace herd::planner
