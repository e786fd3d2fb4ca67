// SQL functions that one server of a herd calls on another.
#include "transaction/internal.hpp"
#include "executor/fragment_snapshot.hpp"
#include "executor/plan_capture.hpp"
#include "pg/guard.hpp"
#include "planner/fragment.hpp"
#include "transaction/endpoint.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
}

namespace {

// Names and values in turns, as set_config would set them for the session.
void apply_settings(::ArrayType* settings) {
    Datum* texts = nullptr;
    bool* nulls = nullptr;
    int count = 0;
    ::deconstruct_array(settings, TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &count);
    for (int i = 0; i + 1 < count; i += 2) {
        (void)::set_config_option(TextDatumGetCString(texts[i]), TextDatumGetCString(texts[i + 1]),
                                  ::superuser() ? PGC_SUSET : PGC_USERSET, PGC_S_SESSION,
                                  GUC_ACTION_SET, true, 0, false);
    }
}

}  // namespace

HERD_SQL_FUNCTION(herd_link_state) {
    herd::transaction::require_internal_call("link_state");
    herd::executor::leave_out_of_capture();
    const char* user = nullptr;
    const char* rights = nullptr;
    herd::pg::call([&] {
        user = ::text_to_cstring(PG_GETARG_TEXT_PP(0));
        rights = ::text_to_cstring(PG_GETARG_TEXT_PP(1));
    });
    herd::transaction::assume_roles(user, *rights == '\0' ? user : rights);
    herd::pg::call([&] { apply_settings(PG_GETARG_ARRAYTYPE_P(2)); });
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
