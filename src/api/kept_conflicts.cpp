// herd.keep_conflict and herd.kept_conflicts, which planner/conflict_plan.hpp puts into plans, and
// herd.require_other_row, which planner/insert_plan.hpp does.
#include "executor/kept_conflicts.hpp"

#include "pg/statement_depth.hpp"
#include "transaction/internal.hpp"

extern "C" {
#include "nodes/primnodes.h"
#include "utils/builtins.h"
}

namespace {

// On a node, what the coordinator has sent, not what a function runs there.
void require_own_plan(::FunctionCallInfo fcinfo) {
    using namespace herd;
    auto* call = reinterpret_cast<::FuncExpr*>(fcinfo->flinfo->fn_expr);
    bool own = transaction::is_internal_session() ? pg::statement_depth() == 1 && !pg::in_trigger()
                                                  : call != nullptr && IsA(call, FuncExpr) &&
                                                        call->location == executor::kOfOwnPlan;
    if (!own) {
        throw Error(sqlstate::kNotInternal,
                    "herd.keep_conflict and herd.kept_conflicts are for the herd's own plans");
    }
}

}  // namespace

HERD_SQL_FUNCTION(herd_keep_conflict) {
    using namespace herd;
    require_own_plan(fcinfo);
    executor::Conflict conflict{};
    pg::call([&] {
        conflict.plan = PG_GETARG_INT64(0);
        conflict.place = reinterpret_cast<::ItemPointer>(PG_GETARG_POINTER(1));
        conflict.part = PG_GETARG_OID(2);
        conflict.row_type = ::get_fn_expr_argtype(fcinfo->flinfo, 3);
        conflict.found = PG_GETARG_DATUM(3);
        conflict.proposed = PG_GETARG_DATUM(4);
        conflict.inserted = PG_GETARG_TRANSACTIONID(5);
    });
    executor::keep_conflict(conflict);
    PG_RETURN_BOOL(false);
}

HERD_SQL_FUNCTION(herd_require_other_row) {
    using namespace herd;
    if (transaction::is_internal_session()) {
        executor::require_other_row(reinterpret_cast<::ItemPointer>(PG_GETARG_POINTER(0)),
                                    PG_GETARG_OID(1), PG_GETARG_TRANSACTIONID(2));
    }
    PG_RETURN_BOOL(true);
}

HERD_SQL_FUNCTION(herd_kept_conflicts) {
    using namespace herd;
    require_own_plan(fcinfo);
    pg::call([&] { ::InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC); });
    executor::return_conflicts(PG_GETARG_INT64(0),
                               reinterpret_cast<::ReturnSetInfo*>(fcinfo->resultinfo));
    return Datum{0};
}
