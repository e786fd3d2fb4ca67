// Entry points of the kind "hook": planner, executor, utility, end of transaction.
#include "fault.hpp"
#include "pg/guard.hpp"
#include "scan.hpp"
#include "worker.hpp"

extern "C" {
#include "access/xact.h"
#include "executor/executor.h"
#include "optimizer/planner.h"
#include "tcop/utility.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);
}

namespace herd::boundary {

namespace {

::PlannedStmt* plan(::Query* query, const char* text, int options, ::ParamListInfo params) {
    return pg::enter("planner", [&] {
        const Tracked tracked;
        visit("planner");
        ::PlannedStmt* statement =
            pg::call([&] { return ::standard_planner(query, text, options, params); });
        if (is_armed("scan_")) {
            pg::call([&] { put_scan_on_top(statement); });
        }
        return statement;
    });
}

void start(::QueryDesc* query, int flags) {
    pg::enter("executor_start", [&] {
        const Tracked tracked;
        visit("executor_start");
        pg::call([&] { ::standard_ExecutorStart(query, flags); });
    });
}

void run(::QueryDesc* query, ::ScanDirection direction, uint64 count, bool once) {
    pg::enter("executor_run", [&] {
        const Tracked tracked;
        visit("executor_run");
        pg::call([&] { ::standard_ExecutorRun(query, direction, count, once); });
    });
}

void finish(::QueryDesc* query) {
    pg::enter("executor_finish", [&] {
        const Tracked tracked;
        visit("executor_finish");
        pg::call([&] { ::standard_ExecutorFinish(query); });
    });
}

void end(::QueryDesc* query) {
    pg::enter("executor_end", [&] {
        const Tracked tracked;
        visit("executor_end");
        pg::call([&] { ::standard_ExecutorEnd(query); });
    });
}

void run_utility(::PlannedStmt* statement, const char* text, bool read_only,
                 ::ProcessUtilityContext context, ::ParamListInfo params,
                 ::QueryEnvironment* environment, ::DestReceiver* receiver,
                 ::QueryCompletion* completion) {
    pg::enter("utility", [&] {
        const Tracked tracked;
        visit("utility");
        pg::call([&] {
            ::standard_ProcessUtility(statement, text, read_only, context, params, environment,
                                      receiver, completion);
        });
    });
}

// Before the commit an error aborts; after it, and in an abort, nothing may fail any more.
void on_transaction_event(::XactEvent event, void*) {
    if (event == XACT_EVENT_PRE_COMMIT) {
        pg::enter("pre_commit", [] { visit("pre_commit"); });
    } else if (event == XACT_EVENT_COMMIT) {
        pg::enter_noexcept("commit", [] { visit("commit"); });
    } else if (event == XACT_EVENT_ABORT) {
        pg::enter_noexcept("abort", [] { visit("abort"); });
    }
}

}  // namespace

}  // namespace herd::boundary

void _PG_init(void) {
    using namespace herd::boundary;
    herd::pg::watch_transactions();
    ::planner_hook = plan;
    ::ExecutorStart_hook = start;
    ::ExecutorRun_hook = run;
    ::ExecutorFinish_hook = finish;
    ::ExecutorEnd_hook = end;
    ::ProcessUtility_hook = run_utility;
    ::RegisterXactCallback(on_transaction_event, nullptr);
    register_scan();
}
