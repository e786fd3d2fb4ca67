// Definitions that come from the coordinator.
#include "ddl/nodes.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "utils/builtins.h"
}

HERD_SQL_FUNCTION(herd_link_ddl) {
    const char* path = herd::pg::call([&] { return ::text_to_cstring(PG_GETARG_TEXT_PP(0)); });
    const char* statements =
        herd::pg::call([&] { return ::text_to_cstring(PG_GETARG_TEXT_PP(1)); });
    herd::ddl::run_script(path, statements, PG_GETARG_BOOL(2));
    PG_RETURN_VOID();
}
