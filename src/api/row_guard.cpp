// herd.require_own_row and herd.owns_row: what planner/row_guard.hpp and
// planner/ownership_filter.hpp put into plans.
#include "catalog/own_row.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "utils/memutils.h"
}

namespace {

using herd::catalog::OwnRowCheck;

using herd::catalog::OwnedRows;

const herd::catalog::Table& table_argument(const herd::catalog::Catalog* herd,
                                           ::FunctionCallInfo fcinfo) {
    const herd::catalog::Table* table =
        herd == nullptr || PG_ARGISNULL(0) ? nullptr : herd->find(PG_GETARG_OID(0));
    if (table == nullptr || table->group == nullptr) {
        throw herd::Error(herd::sqlstate::kWrongObjectType, "not a distributed table");
    }
    return *table;
}

const OwnRowCheck* find_check(::FunctionCallInfo fcinfo) {
    using namespace herd;
    const catalog::Catalog* herd = catalog::current();
    const catalog::Table& table = table_argument(herd, fcinfo);
    return pg::call([&] {
        auto* check = static_cast<OwnRowCheck*>(
            ::MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(OwnRowCheck)));
        *check = catalog::own_row_check(*herd, table, ::get_fn_expr_argtype(fcinfo->flinfo, 1));
        fcinfo->flinfo->fn_extra = check;
        return check;
    });
}

const OwnedRows* find_owned_rows(::FunctionCallInfo fcinfo) {
    using namespace herd;
    const catalog::Catalog* herd = catalog::current();
    const catalog::Table& table = table_argument(herd, fcinfo);
    ::FmgrInfo* function = fcinfo->flinfo;
    Oid type = pg::call([&] { return ::get_fn_expr_argtype(function, 1); });
    const OwnedRows* owned = catalog::owned_rows(*herd, table, type, function->fn_mcxt);
    function->fn_extra = const_cast<OwnedRows*>(owned);
    return owned;
}

}  // namespace

HERD_SQL_FUNCTION(herd_require_own_row) {
    const auto* check = static_cast<const OwnRowCheck*>(fcinfo->flinfo->fn_extra);
    if (check == nullptr) {
        check = find_check(fcinfo);
    }
    bool isnull = PG_ARGISNULL(1);
    herd::catalog::require_own_row(*check, isnull ? Datum{0} : PG_GETARG_DATUM(1), isnull);
    PG_RETURN_BOOL(true);
}

extern "C" {
PGDLLEXPORT Datum herd_owns_row(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(herd_owns_row);

// For every row of a scan: PostgreSQL style, behind the first one.
Datum herd_owns_row(PG_FUNCTION_ARGS) {
    const auto* owned = static_cast<const OwnedRows*>(fcinfo->flinfo->fn_extra);
    if (owned == nullptr) {
        owned = herd::pg::enter("herd_owns_row", [&] { return find_owned_rows(fcinfo); });
    }
    bool isnull = PG_ARGISNULL(1);
    PG_RETURN_BOOL(herd::catalog::owns_row(*owned, isnull ? Datum{0} : PG_GETARG_DATUM(1), isnull));
}
}
