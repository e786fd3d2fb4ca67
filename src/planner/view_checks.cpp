#include "planner/view_checks.hpp"

extern "C" {
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
}

namespace herd::planner {

namespace {

Oid check_function() {
    Oid arguments[] = {BOOLOID, TEXTOID};
    ::List* name =
        ::list_make2(::makeString(::pstrdup("herd")), ::makeString(::pstrdup("require_view_row")));
    return ::LookupFuncName(name, 2, arguments, false);
}

}  // namespace

::List* view_checks(const ::List* options) {
    ::List* checks = NIL;
    for (int i = 0; i < ::list_length(options); ++i) {
        auto* option = static_cast<::WithCheckOption*>(::list_nth(options, i));
        if (option->kind != WCO_VIEW_CHECK || option->qual == nullptr) {
            continue;
        }
        ::Const* view = ::makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
                                    CStringGetTextDatum(option->relname), false, false);
        checks = ::lappend(
            checks, ::makeFuncExpr(check_function(), BOOLOID, ::list_make2(option->qual, view),
                                   InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL));
    }
    return checks;
}

bool has_view_checks(const ::Query* query) {
    return view_checks(query->withCheckOptions) != NIL;
}

}  // namespace herd::planner
