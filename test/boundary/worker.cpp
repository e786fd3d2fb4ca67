#include "worker.hpp"

#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <string>

#include "fault.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "access/xact.h"
#include "executor/spi.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
}

namespace herd::boundary {

namespace {

// What the starting session hands over, as BackgroundWorker.bgw_extra.
struct Order {
    ::Oid database;
    ::Oid user;
    bool recover;
    char fault[64];
};
static_assert(sizeof(Order) <= BGW_EXTRALEN);

template <typename F>
void in_transaction(F&& f) {
    pg::call([] {
        ::SetCurrentStatementStartTimestamp();
        ::StartTransactionCommand();
        ::PushActiveSnapshot(::GetTransactionSnapshot());
    });
    f();
    pg::call([] {
        ::PopActiveSnapshot();
        ::CommitTransactionCommand();
    });
}

// The worker's top loop may go on after an error: it aborts the transaction.
std::optional<Error> failure_of(const std::string& fault) {
    std::optional<Error> failure;
    try {
        const Tracked tracked;
        in_transaction([&] { fail("worker", fault); });
    } catch (const Error& error) {
        failure = error;
    } catch (const std::bad_alloc&) {
        failure = Error(sqlstate::kOutOfMemory, "out of memory");
    } catch (const std::exception& error) {
        failure = Error(sqlstate::kInternalError, error.what());
    } catch (...) {
        failure = Error(sqlstate::kInternalError, "unknown C++ exception");
    }
    if (failure) {
        pg::call([] { ::AbortCurrentTransaction(); });
    }
    return failure;
}

void record(const std::string& fault, const Error& error) {
    const std::string state = error.state().text().data();
    const int live = Tracked::live();
    in_transaction([&] {
        pg::call([&] {
            ::Oid types[] = {TEXTOID, TEXTOID, TEXTOID, INT4OID};
            ::Datum values[] = {CStringGetTextDatum(fault.c_str()),
                                CStringGetTextDatum(state.c_str()),
                                CStringGetTextDatum(error.message().c_str()), Int32GetDatum(live)};
            ::SPI_connect();
            ::SPI_execute_with_args("INSERT INTO public.boundary_result VALUES ($1, $2, $3, $4)", 4,
                                    types, values, nullptr, false, 0);
            ::SPI_finish();
        });
    });
}

void work(const Order& order) {
    pg::call([&] {
        ::pqsignal(SIGTERM, die);
        ::BackgroundWorkerUnblockSignals();
        ::BackgroundWorkerInitializeConnectionByOid(order.database, order.user, 0);
        ::pgstat_report_activity(STATE_RUNNING, order.fault);
    });
    const std::string fault = order.fault;
    if (!order.recover) {
        const Tracked tracked;
        fail("worker", fault);
        return;
    }
    const std::optional<Error> failure = failure_of(fault);
    record(fault, failure ? *failure : Error(SqlState("00000"), "no failure"));
}

}  // namespace

HERD_SQL_FUNCTION(boundary_start_worker) {
    return pg::call([&] {
        ::BackgroundWorker worker{};
        worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
        worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
        worker.bgw_restart_time = BGW_NEVER_RESTART;
        worker.bgw_notify_pid = MyProcPid;
        ::strlcpy(worker.bgw_library_name, "herd_boundary_test", BGW_MAXLEN);
        ::strlcpy(worker.bgw_function_name, "boundary_worker_main", BGW_MAXLEN);
        ::strlcpy(worker.bgw_name, "boundary worker", BGW_MAXLEN);
        ::strlcpy(worker.bgw_type, "boundary worker", BGW_MAXLEN);
        Order order{MyDatabaseId, ::GetUserId(), PG_GETARG_BOOL(1), ""};
        ::strlcpy(order.fault, ::text_to_cstring(PG_GETARG_TEXT_PP(0)), sizeof(order.fault));
        std::memcpy(worker.bgw_extra, &order, sizeof(order));
        ::BackgroundWorkerHandle* handle;
        ::pid_t pid = 0;
        if (!::RegisterDynamicBackgroundWorker(&worker, &handle)) {
            elog(ERROR, "no free background worker");
        }
        ::WaitForBackgroundWorkerStartup(handle, &pid);
        return Int32GetDatum(pid);
    });
}

}  // namespace herd::boundary

void boundary_worker_main(Datum) {
    herd::boundary::Order order;
    std::memcpy(&order, MyBgworkerEntry->bgw_extra, sizeof(order));
    herd::pg::enter("boundary_worker_main", [&] { herd::boundary::work(order); });
}
