// herd.require_view_row, herd.require_policy_row: what planner/view_checks.hpp puts into plans.
#include "pg/guard.hpp"

extern "C" {
#include "utils/builtins.h"
}

HERD_SQL_FUNCTION(herd_require_view_row) {
    using namespace herd;
    if (PG_ARGISNULL(0) || !PG_GETARG_BOOL(0)) {
        const char* view = pg::call([&] { return ::text_to_cstring(PG_GETARG_TEXT_PP(1)); });
        if (PG_GETARG_BOOL(2)) {
            throw Error(sqlstate::kObjectNotInState,
                        std::string("conflicting row is not visible through view \"") + view + '"');
        }
        throw Error(SqlState{"44000"},
                    std::string("new row violates check option for view \"") + view + '"');
    }
    PG_RETURN_BOOL(true);
}

HERD_SQL_FUNCTION(herd_require_policy_row) {
    using namespace herd;
    if (PG_ARGISNULL(0) || !PG_GETARG_BOOL(0)) {
        auto argument = [&](int number) {
            return std::string(pg::call(
                [&] { return ::text_to_cstring(DatumGetTextPP(PG_GETARG_DATUM(number))); }));
        };
        std::string policy = PG_ARGISNULL(2) ? "" : " \"" + argument(2) + '"';
        // The row of a MERGE's target, the row in the way of an INSERT, or a new one.
        bool of_target = PG_ARGISNULL(3);
        const char* part = of_target || PG_GETARG_BOOL(3) ? " (USING expression)" : "";
        throw Error(SqlState{"42501"}, std::string(of_target ? "target" : "new") +
                                           " row violates row-level security policy" + policy +
                                           part + " for table \"" + argument(1) + '"');
    }
    PG_RETURN_BOOL(true);
}
