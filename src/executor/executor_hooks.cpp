// PostgreSQL style around PostgreSQL's own executor: nothing here owns anything, so that its errors
// may pass. Every statement of the server goes through here: what ordinary sessions pay is a few
// tests.
#include "executor/executor_hooks.hpp"
#include "executor/literals.hpp"

#include "executor/fragment_snapshot.hpp"
#include "executor/plan_capture.hpp"
#include "executor/remote_run.hpp"
#include "executor/remote_scan.hpp"
#include "executor/statement_scan.hpp"
#include "executor/strict_read.hpp"
#include "executor/with_scan.hpp"
#include "pg/guard.hpp"
#include "pg/statement_depth.hpp"
#include "transaction/commit.hpp"
#include "transaction/deadlock_error.hpp"
#include "transaction/internal.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "access/xact.h"
#include "executor/executor.h"
#include "utils/snapmgr.h"
}

namespace herd::executor {

namespace {

::ExecutorStart_hook_type previous_start = nullptr;
::ExecutorRun_hook_type previous_run = nullptr;
::ExecutorFinish_hook_type previous_finish = nullptr;
::ExecutorEnd_hook_type previous_end = nullptr;

// What a node owes to the coordinator's own statement; true in internal sessions.
bool begin_internal(::QueryDesc* query) {
    return pg::enter("executor", [&] {
        if (!transaction::is_internal_session()) {
            return false;
        }
        transaction::become_user();
        pg::call([&] { share_snapshot(query); });
        return true;
    });
}

// A statement begins whose parts (WITH queries that change rows) share its snapshots.
bool strict_begins = false;

// Reading this server's rows is part of the transaction, unless the statement goes whole to a node.
void note_own_rows(const ::QueryDesc* query) {
    if (query->plannedstmt->rtable != NIL && !is_statement_scan(query->plannedstmt->planTree)) {
        transaction::note_rows_here();
    }
}

void start_next(::QueryDesc* query, int flags) {
    if (previous_start != nullptr) {
        previous_start(query, flags);
    } else {
        ::standard_ExecutorStart(query, flags);
    }
}

void start_strict(::QueryDesc* query, int flags) {
    strict_begins = true;
    pg::run_finally([&] { start_next(query, flags); },
                    [&] {
                        strict_begins = false;
                        take_reserved_number(query->estate);
                    });
}

void start(::QueryDesc* query, int flags) {
    pass_literals(query);
    bool internal = !pg::is_nested() && begin_internal(query);
    if (internal) {
        prepare_capture(query, flags);
    }
    prepare_with(query);
    transaction::take_cleanup_answers_of_session();
    note_own_rows(query);
    if (!strict_begins && take_strict_snapshots(query, flags)) {
        start_strict(query, flags);
    } else {
        start_next(query, flags);
    }
    start_scans_of_cursor(query);
    if (internal) {
        share_command(query);
        begin_capture(query);
        transaction::become_holder_of_rights();
    }
}

// Runs one of the executor's phases one level deeper.
template <typename Phase>
void run_deeper(Phase&& phase) {
    int depth = pg::statement_depth();
    bool clients_own = !pg::is_nested();
    if (clients_own) {
        transaction::become_user();
    }
    pg::set_statement_depth(depth + 1);
    pg::run_finally([&] { transaction::tell_deadlocks(phase); },
                    [&] { pg::set_statement_depth(depth); });
    if (clients_own) {
        transaction::become_holder_of_rights();
    }
}

// Parallel workers get the active snapshot, which need not be the one that the statement was given.
bool needs_active_snapshot(const ::QueryDesc* query) {
    return query->plannedstmt->parallelModeNeeded && query->snapshot != InvalidSnapshot &&
           (!::ActiveSnapshotSet() || ::GetActiveSnapshot() != query->snapshot);
}

void run(::QueryDesc* query, ::ScanDirection direction, uint64 count, bool execute_once) {
    run_deeper([&] {
        bool pushes = needs_active_snapshot(query);
        if (pushes) {
            ::PushActiveSnapshot(query->snapshot);
        }
        if (previous_run != nullptr) {
            previous_run(query, direction, count, execute_once);
        } else {
            ::standard_ExecutorRun(query, direction, count, execute_once);
        }
        if (pushes) {
            ::PopActiveSnapshot();
        }
    });
}

void finish(::QueryDesc* query) {
    run_deeper([&] {
        if (previous_finish != nullptr) {
            previous_finish(query);
        } else {
            ::standard_ExecutorFinish(query);
        }
    });
    // A change by itself is a whole transaction: what is left to run are deferred triggers.
    if (query->operation != CMD_SELECT && !pg::is_nested() && !::IsTransactionBlock()) {
        transaction::become_user();
    }
}

void end(::QueryDesc* query) {
    if (is_captured(query)) {
        capture_plan(query);
    }
    if (previous_end != nullptr) {
        previous_end(query);
    } else {
        ::standard_ExecutorEnd(query);
    }
}

}  // namespace

void initialize_executor_hooks() {
    previous_start = ::ExecutorStart_hook;
    ::ExecutorStart_hook = start;
    previous_run = ::ExecutorRun_hook;
    ::ExecutorRun_hook = run;
    previous_finish = ::ExecutorFinish_hook;
    ::ExecutorFinish_hook = finish;
    previous_end = ::ExecutorEnd_hook;
    ::ExecutorEnd_hook = end;
}

}  // namespace herd::executor
