#include "worker/worker.hpp"

#include "remote/session_board.hpp"
#include "transaction/commit.hpp"
#include "worker/database_statements.hpp"
#include "worker/launcher.hpp"
#include "worker/node_watch.hpp"
#include "worker/registry.hpp"

extern "C" {
#include "access/xact.h"
}

namespace herd::worker {

namespace {

bool start_at_commit = false;

void on_transaction_end(::XactEvent event, void*) {
    if (event == XACT_EVENT_COMMIT && start_at_commit) {
        pg::enter_noexcept("start supervisor", [] { request_supervisor(MyDatabaseId); });
    }
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT) {
        start_at_commit = false;
    }
}

}  // namespace

void start_supervisor_at_commit() {
    start_at_commit = true;
}

void initialize() {
    request_registry();
    define_probe_interval();
    initialize_database_statements();
    register_launcher();
    ::RegisterXactCallback(on_transaction_end, nullptr);
    transaction::set_in_doubt_hook(wake_supervisor);
    remote::set_long_wait_hook(request_look);
}

}  // namespace herd::worker
