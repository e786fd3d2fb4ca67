// SQL functions by which the coordinator learns how a node has run its statement.
#include "executor/plan_capture.hpp"
#include "pg/guard.hpp"
#include "transaction/internal.hpp"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
}

HERD_SQL_FUNCTION(herd_link_explain) {
    herd::transaction::require_internal_call("link_explain");
    herd::pg::call([&] {
        herd::executor::set_plan_capture(PG_GETARG_BOOL(0),
                                         ::text_to_cstring(PG_GETARG_TEXT_PP(1)));
    });
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(herd_link_last_plan) {
    herd::transaction::require_internal_call("link_last_plan");
    herd::executor::CapturedPlan plan = herd::executor::captured_plan();
    return herd::pg::call([&] {
        ::TupleDesc columns = nullptr;
        ::get_call_result_type(fcinfo, nullptr, &columns);
        bool none = plan.text == nullptr;
        Datum values[2] = {none ? Datum{0} : CStringGetTextDatum(plan.text),
                           Float8GetDatum(plan.milliseconds)};
        bool nulls[2] = {none, none};
        return HeapTupleGetDatum(::heap_form_tuple(::BlessTupleDesc(columns), values, nulls));
    });
}
