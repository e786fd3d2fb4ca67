// SQL functions that show what the supervisors do.
#include "worker/worker.hpp"

#include "pg/guard.hpp"
#include "worker/registry.hpp"

extern "C" {
#include "commands/dbcommands.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"
}

namespace {

void put_supervisor(::ReturnSetInfo* result, const herd::worker::SupervisorStatus& status) {
    const char* sentence = status.sentence.c_str();
    herd::pg::call([&] {
        const char* name = ::get_database_name(status.database);
        Datum values[5] = {Int32GetDatum(status.pid),
                           CStringGetTextDatum(name == nullptr ? "" : name),
                           Int64GetDatum(status.tick), CStringGetTextDatum(sentence),
                           TimestampTzGetDatum(status.since)};
        bool nulls[5] = {false, name == nullptr, false, false, status.since == 0};
        ::tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    });
}

void put_in_doubt(::ReturnSetInfo* result, const herd::worker::InDoubt& transaction) {
    herd::pg::call([&] {
        Datum values[5] = {CStringGetTextDatum(transaction.gid), Int32GetDatum(transaction.node),
                           FullTransactionIdGetDatum(FullTransactionIdFromU64(transaction.xid)),
                           CStringGetTextDatum(transaction.status),
                           TimestampTzGetDatum(transaction.since)};
        bool nulls[5] = {false, false, false, false, transaction.since == 0};
        ::tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    });
}

}  // namespace

HERD_SQL_FUNCTION(herd_start_supervisor) {
    herd::worker::start_supervisor_at_commit();
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(herd_supervisors) {
    herd::pg::call([&] { ::InitMaterializedSRF(fcinfo, 0); });
    auto* result = reinterpret_cast<::ReturnSetInfo*>(fcinfo->resultinfo);
    for (const auto& status : herd::worker::supervisors()) {
        put_supervisor(result, status);
    }
    return Datum{0};
}

HERD_SQL_FUNCTION(herd_transactions_in_doubt) {
    herd::pg::call([&] { ::InitMaterializedSRF(fcinfo, 0); });
    auto* result = reinterpret_cast<::ReturnSetInfo*>(fcinfo->resultinfo);
    for (const auto& transaction : herd::worker::in_doubt()) {
        put_in_doubt(result, transaction);
    }
    return Datum{0};
}
