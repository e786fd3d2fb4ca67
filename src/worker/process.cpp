// The supervisor as a process: signals, its place in the registry, its main loop.
#include "pg/transaction.hpp"
#include "worker/registry.hpp"
#include "worker/supervisor.hpp"

extern "C" {
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
}

namespace herd::worker {

namespace {

constexpr long kAfterErrorMs = 1000;

// Its own writes are none that anybody waits for, and it must not hang on somebody's lock.
void set_up_session() {
    pg::call([] {
        ::pgstat_report_appname("pg_herd supervisor");
        ::SetConfigOption("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION);
        ::SetConfigOption("lock_timeout", "500ms", PGC_USERSET, PGC_S_SESSION);
        ::SetConfigOption("jit", "off", PGC_USERSET, PGC_S_SESSION);
        ::SetConfigOption("search_path", "pg_catalog", PGC_USERSET, PGC_S_SESSION);
        ::pgstat_report_activity(STATE_IDLE, nullptr);
    });
}

// One round. False when there is nothing to supervise.
bool run_round(Supervisor& supervisor) {
    try {
        if (!supervisor.tick()) {
            return false;
        }
        supervisor.wait();
    } catch (const Error& error) {
        pg::log_and_abort(error);
        pg::nap(kAfterErrorMs);
    }
    return true;
}

void run_supervisor() {
    if (!claim_database(MyDatabaseId)) {
        return;
    }
    set_up_session();
    auto& supervisor = *new Supervisor;
    ::MemoryContext context = pg::call([] {
        return AllocSetContextCreate(TopMemoryContext, "pg_herd supervisor",
                                     ALLOCSET_DEFAULT_SIZES);
    });
    while (true) {
        ::MemoryContextSwitchTo(context);
        ::MemoryContextReset(context);
        if (::ConfigReloadPending) {
            ::ConfigReloadPending = false;
            pg::call([] { ::ProcessConfigFile(PGC_SIGHUP); });
        }
        std::uint32_t requests = request_count();
        if (!run_round(supervisor) && renounce_database(requests)) {
            return;
        }
    }
}

}  // namespace

}  // namespace herd::worker

extern "C" {
PGDLLEXPORT void herd_supervisor_main(Datum argument);

void herd_supervisor_main(Datum argument) {
    ::pqsignal(SIGTERM, die);
    ::pqsignal(SIGHUP, SignalHandlerForConfigReload);
    ::BackgroundWorkerUnblockSignals();
    ::BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(argument), InvalidOid, 0);
    herd::pg::enter("supervisor", [] { herd::worker::run_supervisor(); });
    ::proc_exit(0);
}
}
