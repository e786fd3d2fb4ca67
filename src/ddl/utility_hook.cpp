// PostgreSQL style around PostgreSQL's own ProcessUtility: nothing here owns anything, so that its
// errors may pass. What C++ does stands before and after it, each within pg::enter.
#include "ddl/utility_hook.hpp"

#include "ddl/ddl_statement.hpp"
#include "ddl/user_functions.hpp"
#include "pg/failpoint.hpp"
#include "pg/local_only.hpp"
#include "pg/plan_settings.hpp"
#include "pg/statement_depth.hpp"
#include "transaction/deadlock_error.hpp"
#include "transaction/internal.hpp"
#include "transaction/node_steps.hpp"
#include "transaction/strict.hpp"

extern "C" {
#include "access/xact.h"
#include "commands/extension.h"
}

namespace herd::ddl {

namespace {

struct Arguments {
    ::PlannedStmt* planned;
    const char* query_string;
    bool read_only_tree;
    ::ProcessUtilityContext context;
    ::ParamListInfo parameters;
    ::QueryEnvironment* environment;
    ::DestReceiver* destination;
    ::QueryCompletion* completion;
};

::ProcessUtility_hook_type previous_hook = nullptr;
CopyHandler copy_handler = nullptr;
// The definition whose local run is under way.
DdlStatement* open_statement = nullptr;

void run_here(const Arguments& call) {
    auto* run = previous_hook != nullptr ? previous_hook : ::standard_ProcessUtility;
    run(call.planned, call.query_string, call.read_only_tree, call.context, call.parameters,
        call.environment, call.destination, call.completion);
}

// The statement lives in the caller's memory context, which outlasts the transactions of VACUUM.
DdlStatement* begin_statement(const Arguments& call) {
    return pg::enter("ddl", [&] {
        auto* statement = pg::make_in<DdlStatement>(CurrentMemoryContext, call.planned,
                                                    call.query_string, call.context);
        statement->outer = open_statement;
        statement->prepare();
        return statement;
    });
}

void run_definition(const Arguments& call) {
    DdlStatement* statement = begin_statement(call);
    ObjectLog* log_before = write_log(&statement->log);
    open_statement = statement;
    bool local_only = statement->is_local_only();
    if (local_only) {
        pg::set_local_only(true);
    }
    pg::run_finally([&] { run_here(call); },
                    [&] {
                        if (local_only) {
                            pg::set_local_only(false);
                        }
                        open_statement = statement->outer;
                        write_log(log_before);
                    });
    pg::enter("ddl", [&] { statement->finish(); });
}

bool handle_copy(const Arguments& call) {
    return IsA(call.planned->utilityStmt, CopyStmt) && copy_handler != nullptr &&
           copy_handler(call.planned, call.query_string, call.context, call.parameters,
                        call.completion);
}

// Statements inside others (the index of a CREATE TABLE, the script of an extension) are part of
// them.
bool is_definition(const Arguments& call, Kind kind) {
    return kind != Kind::kOther && kind != Kind::kTransaction &&
           call.context != PROCESS_UTILITY_SUBCOMMAND && !::creating_extension &&
           ::IsTransactionState();
}

// A transaction over several nodes that is to be strict begins on all of them.
bool may_open_transaction(const ::Node* statement) {
    if (IsA(statement, TransactionStmt)) {
        auto kind = reinterpret_cast<const ::TransactionStmt*>(statement)->kind;
        return kind == TRANS_STMT_BEGIN || kind == TRANS_STMT_START;
    }
    return IsA(statement, VariableSetStmt);
}

void run(const Arguments& call) {
    if (is_definition(call, kind_of(call.planned->utilityStmt))) {
        run_definition(call);
    } else if (!handle_copy(call)) {
        run_here(call);
        if (pg::reads_are_strict() && call.context == PROCESS_UTILITY_TOPLEVEL &&
            may_open_transaction(call.planned->utilityStmt)) {
            pg::enter("strict transaction", [] { transaction::open_strict_transaction(); });
        }
    }
}

// COMMIT PREPARED and ROLLBACK PREPARED, which no callback of transactions sees.
bool ends_prepared(const ::Node* statement) {
    if (!pg::failpoints_active() || !IsA(statement, TransactionStmt)) {
        return false;
    }
    auto kind = reinterpret_cast<const ::TransactionStmt*>(statement)->kind;
    return kind == TRANS_STMT_COMMIT_PREPARED || kind == TRANS_STMT_ROLLBACK_PREPARED;
}

void run_end_of_prepared(const Arguments& call) {
    pg::enter("node step", [] { transaction::reach_node_step("node.before_finish_prepared"); });
    run(call);
    pg::enter("node step", [] { transaction::reach_node_step("node.after_finish_prepared"); });
}

// What ends a transaction: deferred triggers run in it, and who has prepared it may finish it.
bool ends_transaction(const ::TransactionStmt* statement) {
    return statement->kind == TRANS_STMT_COMMIT || statement->kind == TRANS_STMT_PREPARE ||
           statement->kind == TRANS_STMT_COMMIT_PREPARED ||
           statement->kind == TRANS_STMT_ROLLBACK_PREPARED;
}

// On a node, the coordinator's link works as the role that the coordinator's session has now.
void renew_role(const ::Node* statement) {
    if (pg::is_nested() || !::IsTransactionState()) {
        return;
    }
    if (!IsA(statement, TransactionStmt)) {
        transaction::become_holder_of_rights();
    } else if (ends_transaction(reinterpret_cast<const ::TransactionStmt*>(statement))) {
        transaction::become_user();
    }
}

void process_utility(::PlannedStmt* planned, const char* query_string, bool read_only_tree,
                     ::ProcessUtilityContext context, ::ParamListInfo parameters,
                     ::QueryEnvironment* environment, ::DestReceiver* destination,
                     ::QueryCompletion* completion) {
    Arguments call{planned,    query_string, read_only_tree, context,
                   parameters, environment,  destination,    completion};
    renew_role(planned->utilityStmt);
    if (ends_prepared(planned->utilityStmt)) {
        run_end_of_prepared(call);
        return;
    }
    if (!nests(planned->utilityStmt)) {
        transaction::tell_deadlocks([&] { run(call); });
        return;
    }
    int depth = pg::statement_depth();
    int floor = pg::statement_floor();
    pg::set_statement_depth(depth + 1);
    pg::set_statement_floor(depth + 1);
    pg::run_finally([&] { transaction::tell_deadlocks([&] { run(call); }); },
                    [&] {
                        pg::set_statement_depth(depth);
                        pg::set_statement_floor(floor);
                    });
}

// What statements inside have left for the nodes goes away with their savepoint.
void on_subtransaction(::SubXactEvent event, ::SubTransactionId, ::SubTransactionId, void*) {
    int level = ::GetCurrentTransactionNestLevel();
    for (DdlStatement* statement = open_statement; statement != nullptr;
         statement = statement->outer) {
        std::vector<Script>& waiting = statement->waiting;
        if (event == SUBXACT_EVENT_ABORT_SUB) {
            while (!waiting.empty() && waiting.back().level >= level) {
                waiting.pop_back();
            }
        } else if (event == SUBXACT_EVENT_COMMIT_SUB) {
            for (Script& script : waiting) {
                script.level = script.level >= level ? level - 1 : script.level;
            }
        }
    }
}

}  // namespace

void set_copy_handler(CopyHandler handler) {
    copy_handler = handler;
}

void initialize_ddl() {
    previous_hook = ::ProcessUtility_hook;
    ::ProcessUtility_hook = process_utility;
    ::RegisterSubXactCallback(on_subtransaction, nullptr);
    initialize_object_log();
    initialize_user_functions();
    initialize_ddl_statement();
}

}  // namespace herd::ddl
