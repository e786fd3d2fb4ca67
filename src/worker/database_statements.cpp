#include "worker/database_statements.hpp"

#include "pg/guard.hpp"
#include "worker/registry.hpp"

extern "C" {
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
}

namespace herd::worker {

namespace {

::ProcessUtility_hook_type previous_hook = nullptr;

void run_previous(::PlannedStmt* statement, const char* text, bool read_only_tree,
                  ::ProcessUtilityContext context, ::ParamListInfo parameters,
                  ::QueryEnvironment* environment, ::DestReceiver* destination,
                  ::QueryCompletion* completion) {
    auto* run = previous_hook != nullptr ? previous_hook : ::standard_ProcessUtility;
    run(statement, text, read_only_tree, context, parameters, environment, destination, completion);
}

const char* template_of(const ::CreatedbStmt* statement) {
    ::ListCell* cell = nullptr;
    foreach (cell, statement->options) {
        auto* option = static_cast<::DefElem*>(lfirst(cell));
        if (std::string_view(option->defname) == "template" && option->arg != nullptr) {
            return ::defGetString(option);
        }
    }
    return "template1";
}

// The database that the statement wants to itself; null for all other statements.
const char* database_needed(::Node* statement) {
    switch (nodeTag(statement)) {
        case T_DropdbStmt:
            return reinterpret_cast<::DropdbStmt*>(statement)->dbname;
        case T_AlterDatabaseStmt:
            return reinterpret_cast<::AlterDatabaseStmt*>(statement)->dbname;
        case T_CreatedbStmt:
            return template_of(reinterpret_cast<::CreatedbStmt*>(statement));
        case T_RenameStmt: {
            auto* rename = reinterpret_cast<::RenameStmt*>(statement);
            return rename->renameType == OBJECT_DATABASE ? rename->subname : nullptr;
        }
        default:
            return nullptr;
    }
}

void process_utility(::PlannedStmt* statement, const char* text, bool read_only_tree,
                     ::ProcessUtilityContext context, ::ParamListInfo parameters,
                     ::QueryEnvironment* environment, ::DestReceiver* destination,
                     ::QueryCompletion* completion) {
    auto run = [&] {
        run_previous(statement, text, read_only_tree, context, parameters, environment, destination,
                     completion);
    };
    const char* name = database_needed(statement->utilityStmt);
    if (name == nullptr) {
        run();
        return;
    }
    Oid database = ::get_database_oid(name, true);
    pg::enter("database statement", [&] { hold_database(database); });
    pg::run_finally(run, [&] { release_database(database); });
    if (IsA(statement->utilityStmt, CreatedbStmt)) {
        pg::enter("database statement", [&] { request_scan(); });
    }
}

}  // namespace

void initialize_database_statements() {
    previous_hook = ::ProcessUtility_hook;
    ::ProcessUtility_hook = process_utility;
}

}  // namespace herd::worker
