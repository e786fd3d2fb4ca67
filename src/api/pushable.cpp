// herd.set_pushable.
#include "api/arguments.hpp"
#include "catalog/herd_catalog.hpp"
#include "pg/spi.hpp"

// Plans that are kept were made by the former answer: all over tables of the herd are made again.
HERD_SQL_FUNCTION(herd_set_pushable) {
    if (!herd::pg::call([] { return ::superuser(); })) {
        throw herd::Error(herd::sqlstate::kInsufficientPrivilege,
                          "only a superuser declares functions pushable");
    }
    std::string function = std::to_string(PG_GETARG_OID(0));
    herd::pg::AsOwner owner;
    if (PG_GETARG_BOOL(1)) {
        herd::pg::query(
            "INSERT INTO herd.pushable_function VALUES ($1::oid::regprocedure) "
            "ON CONFLICT DO NOTHING",
            {function});
    } else {
        herd::pg::query("DELETE FROM herd.pushable_function WHERE function = $1::oid::regprocedure",
                        {function});
    }
    herd::catalog::invalidate();
    PG_RETURN_VOID();
}
