#include "worker/launcher.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "pg/catalog_scan.hpp"
#include "pg/transaction.hpp"
#include "pg/waiter.hpp"
#include "worker/registry.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"
}

namespace herd::worker {

namespace {

constexpr int kMostStarting = 4;           // at once, when the server has just come up
constexpr std::int64_t kRestartMs = 1000;  // between two starts for one database
constexpr std::int64_t kScanMs = 60'000;

struct Start {
    ::BackgroundWorkerHandle* handle = nullptr;
    std::int64_t at = 0;
    bool starting = false;
};

class Launcher {
public:
    void step();
    // How long nothing will be to do unless the latch is set.
    [[nodiscard]] long patience() const { return waiting_ ? 200 : 5000; }

private:
    void scan_databases();
    void start(Oid database);
    void look_at_starts();
    [[nodiscard]] bool may_start(Oid database) const;

    std::set<Oid> databases_;  // that can have a supervisor
    std::set<Oid> unchecked_;  // nobody knows yet whether there is a herd
    std::set<Oid> checked_;
    std::map<Oid, Start> starts_;
    std::int64_t scanned_at_ = 0;
    bool waiting_ = false;
    bool complained_ = false;
};

void Launcher::scan_databases() {
    databases_.clear();
    pg::Transaction transaction;
    pg::scan_table(DatabaseRelationId, [&](const Datum* values, const bool*) {
        bool template_ = DatumGetBool(values[Anum_pg_database_datistemplate - 1]);
        if (!template_ && DatumGetBool(values[Anum_pg_database_datallowconn - 1])) {
            databases_.insert(DatumGetObjectId(values[Anum_pg_database_oid - 1]));
        }
    });
    transaction.commit();
    for (Oid database : databases_) {
        if (checked_.count(database) == 0) {
            unchecked_.insert(database);
        }
    }
    scanned_at_ = pg::now_ms();
}

void Launcher::look_at_starts() {
    for (auto& entry : starts_) {
        Start& start = entry.second;
        if (start.starting) {
            ::pid_t pid = 0;
            start.starting = pg::call([&] {
                                 return ::GetBackgroundWorkerPid(start.handle, &pid);
                             }) != BGWH_STOPPED;
        }
        if (!start.starting && start.handle != nullptr) {
            ::pfree(start.handle);
            start.handle = nullptr;
        }
    }
}

bool Launcher::may_start(Oid database) const {
    auto last = starts_.find(database);
    return last == starts_.end() ||
           (!last->second.starting && pg::now_ms() - last->second.at >= kRestartMs);
}

void Launcher::start(Oid database) {
    ::BackgroundWorker worker{};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    // The launcher starts it again, so that there is one place that knows of all.
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    std::strcpy(worker.bgw_library_name, "pg_herd");
    std::strcpy(worker.bgw_function_name, "herd_supervisor_main");
    std::strcpy(worker.bgw_name, "pg_herd supervisor");
    std::strcpy(worker.bgw_type, "pg_herd supervisor");
    worker.bgw_main_arg = ObjectIdGetDatum(database);
    worker.bgw_notify_pid = MyProcPid;
    Start& start = starts_[database];
    start.at = pg::now_ms();
    start.starting = pg::call([&] {
        ::MemoryContext before = ::MemoryContextSwitchTo(TopMemoryContext);
        bool registered = ::RegisterDynamicBackgroundWorker(&worker, &start.handle);
        ::MemoryContextSwitchTo(before);
        return registered;
    });
    if (start.starting) {
        checked_.insert(database);
        unchecked_.erase(database);
    } else if (!std::exchange(complained_, true)) {
        pg::call([] {
            ereport(LOG, (errmsg("no background worker is free for pg_herd's supervisor"),
                          errhint("Raise max_worker_processes; until then nobody probes nodes and "
                                  "finishes transactions.")));
        });
    }
}

void Launcher::step() {
    look_at_starts();
    bool scan = take_scan_request();
    std::vector<Wanted> wanted = wanted_supervisors();
    bool missing =
        std::any_of(wanted.begin(), wanted.end(), [](const Wanted& w) { return !w.running; });
    if (scan) {
        checked_.clear();
    }
    if (scan || missing || scanned_at_ == 0 || pg::now_ms() - scanned_at_ > kScanMs) {
        scan_databases();
    }
    auto starting = std::count_if(starts_.begin(), starts_.end(),
                                  [](const auto& entry) { return entry.second.starting; });
    waiting_ = false;
    std::set<Oid> candidates = unchecked_;
    for (const Wanted& entry : wanted) {
        if (databases_.count(entry.database) == 0) {
            forget_database(entry.database);
        } else if (!entry.running) {
            candidates.insert(entry.database);
        } else {
            candidates.erase(entry.database);
            unchecked_.erase(entry.database);
            checked_.insert(entry.database);
        }
    }
    for (Oid database : candidates) {
        bool room = starting < kMostStarting && may_start(database) && want_supervisor(database);
        if (room) {
            start(database);
            ++starting;
        }
        waiting_ = true;
    }
}

void run_launcher() {
    announce_launcher();
    auto& launcher = *new Launcher;
    ::MemoryContext context = pg::call([] {
        return AllocSetContextCreate(TopMemoryContext, "pg_herd launcher", ALLOCSET_DEFAULT_SIZES);
    });
    while (true) {
        ::MemoryContextSwitchTo(context);
        ::MemoryContextReset(context);
        try {
            launcher.step();
        } catch (const Error& error) {
            pg::log_and_abort(error);
        }
        pg::nap(launcher.patience());
        if (::ConfigReloadPending) {
            ::ConfigReloadPending = false;
            pg::call([] { ::ProcessConfigFile(PGC_SIGHUP); });
        }
    }
}

}  // namespace

void register_launcher() {
    if (!::process_shared_preload_libraries_in_progress) {
        return;
    }
    ::BackgroundWorker worker{};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = 1;
    std::strcpy(worker.bgw_library_name, "pg_herd");
    std::strcpy(worker.bgw_function_name, "herd_launcher_main");
    std::strcpy(worker.bgw_name, "pg_herd launcher");
    std::strcpy(worker.bgw_type, "pg_herd launcher");
    ::RegisterBackgroundWorker(&worker);
}

}  // namespace herd::worker

extern "C" {
PGDLLEXPORT void herd_launcher_main(Datum argument);

void herd_launcher_main(Datum) {
    ::pqsignal(SIGTERM, die);
    ::pqsignal(SIGHUP, SignalHandlerForConfigReload);
    ::BackgroundWorkerUnblockSignals();
    ::BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
    herd::pg::enter("launcher", [] { herd::worker::run_launcher(); });
}
}
