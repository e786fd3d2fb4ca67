// SQL functions that show and steer one server: counters and failpoints.
#include "pg/counters.hpp"
#include "pg/failpoint.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "funcapi.h"
#include "utils/builtins.h"
}

HERD_SQL_FUNCTION(herd_stat) {
    herd::pg::call([&] { ::InitMaterializedSRF(fcinfo, 0); });
    auto* result = reinterpret_cast<::ReturnSetInfo*>(fcinfo->resultinfo);
    for (int i = 0; i < static_cast<int>(herd::pg::Counter::kCount); ++i) {
        auto counter = static_cast<herd::pg::Counter>(i);
        herd::pg::call([&] {
            Datum values[2] = {CStringGetTextDatum(herd::pg::counter_name(counter)),
                               Int64GetDatum(static_cast<int64>(herd::pg::counter_value(counter)))};
            bool nulls[2] = {false, false};
            ::tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
        });
    }
    return Datum{0};
}

HERD_SQL_FUNCTION(herd_stat_reset) {
    herd::pg::reset_counters();
    PG_RETURN_VOID();
}

namespace {

std::string text_argument(::FunctionCallInfo fcinfo, int position) {
    return herd::pg::call([&] { return ::text_to_cstring(PG_GETARG_TEXT_PP(position)); });
}

}  // namespace

HERD_SQL_FUNCTION(herd_failpoint_set) {
    herd::pg::set_failpoint(text_argument(fcinfo, 0), text_argument(fcinfo, 1));
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(herd_failpoint_clear) {
    herd::pg::clear_failpoint(text_argument(fcinfo, 0));
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(herd_failpoint_paused) {
    std::string names = herd::pg::paused_failpoints();
    return herd::pg::call([&] { return CStringGetTextDatum(names.c_str()); });
}
