// SQL functions that one server of a herd calls on another.
#include "transaction/internal.hpp"
#include "executor/fragment_snapshot.hpp"
#include "executor/plan_capture.hpp"
#include "pg/guard.hpp"
#include "planner/fragment.hpp"
#include "transaction/endpoint.hpp"

extern "C" {
#include "utils/builtins.h"
}

HERD_SQL_FUNCTION(herd_link_role) {
    herd::transaction::require_internal_call("link_role");
    herd::executor::leave_out_of_capture();
    const char* user = nullptr;
    const char* rights = nullptr;
    herd::pg::call([&] {
        user = ::text_to_cstring(PG_GETARG_TEXT_PP(0));
        rights = ::text_to_cstring(PG_GETARG_TEXT_PP(1));
    });
    herd::transaction::assume_roles(user, *rights == '\0' ? user : rights);
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(herd_link_snapshot) {
    herd::transaction::require_internal_call("link_snapshot");
    herd::executor::leave_out_of_capture();
    herd::executor::begin_fragments(PG_GETARG_INT64(0));
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(herd_link_node) {
    PG_RETURN_INT32(herd::transaction::require_herd().self.value);
}

HERD_SQL_FUNCTION(herd_remote_rows) {
    throw herd::Error(herd::sqlstate::kNotInternal, "herd.remote_rows stands in plans only")
        .hint("Query the distributed table itself.");
}

HERD_SQL_FUNCTION(herd_remote_rows_support) {
    PG_RETURN_POINTER(
        herd::planner::support_remote_rows(reinterpret_cast<::Node*>(PG_GETARG_POINTER(0))));
}
