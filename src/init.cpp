// _PG_init: a table of contents of the extension.
#include "catalog/herd_catalog.hpp"
#include "catalog/shared_maps.hpp"
#include "copy/copy_hook.hpp"
#include "ddl/utility_hook.hpp"
#include "executor/broadcast_scan.hpp"
#include "executor/cursor_scan.hpp"
#include "executor/executor_hooks.hpp"
#include "executor/fragment_snapshot.hpp"
#include "executor/insert_plan_data.hpp"
#include "executor/modify_plan_data.hpp"
#include "executor/pack_scan.hpp"
#include "executor/remote_scan.hpp"
#include "executor/statement_scan.hpp"
#include "executor/with_scan.hpp"
#include "pg/counters.hpp"
#include "pg/failpoint.hpp"
#include "pg/guard.hpp"
#include "pg/local_only.hpp"
#include "pg/ownership_filter.hpp"
#include "pg/plan_settings.hpp"
#include "pg/server_run.hpp"
#include "pg/shared_memory.hpp"
#include "planner/node_side.hpp"
#include "planner/planner_hook.hpp"
#include "remote/session_board.hpp"
#include "transaction/internal.hpp"
#include "transaction/session.hpp"
#include "worker/worker.hpp"

extern "C" {
#include "utils/guc.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void _PG_init(void) {
    herd::pg::watch_transactions();
    herd::pg::request_counters();
    herd::catalog::request_shared_maps();
    herd::pg::request_failpoints();
    herd::pg::request_server_run();
    herd::remote::request_board();
    herd::pg::initialize_local_only();
    herd::pg::define_plan_settings();
    herd::pg::define_ownership_filter();
    herd::catalog::initialize();
    herd::transaction::initialize_internal();
    herd::transaction::initialize_session();
    herd::executor::initialize_fragment_snapshot();
    herd::executor::initialize_executor_hooks();
    herd::executor::initialize_statement_scan();
    herd::executor::initialize_cursor_scan();
    herd::executor::initialize_remote_scan();
    herd::executor::initialize_broadcast_scan();
    herd::executor::initialize_insert_scan();
    herd::executor::initialize_pack_scan();
    herd::executor::initialize_with_scan();
    herd::executor::initialize_modify_scan();
    herd::planner::initialize_node_side();
    herd::planner::initialize_planner();
    herd::ddl::initialize_ddl();
    herd::ddl::set_copy_handler(herd::copy::handle_copy);
    herd::worker::initialize();
    herd::pg::install_shared_memory_hooks();
    ::MarkGUCPrefixReserved("herd");
}
}
