#include "planner/node_side.hpp"

#include "executor/checked_statement.hpp"
#include "executor/pack_scan.hpp"
#include "pg/compat.hpp"
#include "pg/guard.hpp"
#include "pg/local_only.hpp"
#include "pg/ownership_filter.hpp"
#include "pg/statement_depth.hpp"
#include "planner/array_statistics.hpp"
#include "planner/function_rules.hpp"
#include "planner/nested_guard.hpp"
#include "planner/ownership_check.hpp"
#include "planner/ownership_filter.hpp"
#include "planner/partial_aggregate.hpp"
#include "planner/row_guard.hpp"
#include "transaction/internal.hpp"

extern "C" {
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
}

namespace herd::planner {

namespace {

struct Request {
    ::Query* query;
    const char* text;
    int cursor_options;
    ::ParamListInfo params;
    ::planner_hook_type plain;
    const catalog::Catalog* herd;  // nullptr: this server is only about to join
};

::PlannedStmt* run_plain(const Request& request) {
    ::PlannedStmt* statement =
        request.plain(request.query, request.text, request.cursor_options, request.params);
    if (request.herd != nullptr) {
        guard_rows(*request.herd, statement, GuardedRows::kOfTriggers);
    }
    return statement;
}

// The coordinator has checked the client's own statement. What it sends may name more than that
// does: columns with their defaults, rows to be locked before they are changed. Row security is in
// the query already, for the role that the statement runs as.
bool trust_privileges(::Node* node, void*) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        reinterpret_cast<::RangeTblEntry*>(node)->requiredPerms = 0;
        return false;
    }
    if (IsA(node, Query)) {
        return pg::compat::walk_query(reinterpret_cast<::Query*>(node), trust_privileges, nullptr,
                                      QTW_EXAMINE_RTES_BEFORE);
    }
    return pg::compat::walk_expression(node, trust_privileges, nullptr);
}

::PlannedStmt* plan_clients(const Request& request) {
    (void)trust_privileges(reinterpret_cast<::Node*>(request.query), nullptr);
    executor::leave_out_policies(request.text, request.query);
    // Functions that the planner evaluates run before the executor puts the role on.
    transaction::become_user();
    bool wants_states = asks_for_states(request.text) && request.query->commandType == CMD_SELECT;
    bool states_are_results = wants_states && check_partial_query(request.query);
    ::PlannedStmt* statement = nullptr;
    int depth = pg::statement_depth();
    // What those functions run is nested.
    pg::set_statement_depth(depth + 1);
    bool suspended = suspend_ownership_filter(pg::means_every_row(request.text));
    pg::run_finally([&] { statement = run_plain(request); },
                    [&] {
                        pg::set_statement_depth(depth);
                        (void)suspend_ownership_filter(suspended);
                    });
    transaction::become_holder_of_rights();
    if (wants_states && !states_are_results) {
        return_states(statement);
    }
    executor::pack_rows(statement, request.text);
    return statement;
}

::PlannedStmt* plan_nested(const Request& request) {
    ::List* checks = guard_query(*request.herd, request.query);
    ::PlannedStmt* statement = run_plain(request);
    guard_plan(*request.herd, statement, checks);
    return statement;
}

}  // namespace

::PlannedStmt* plan_on_node(::Query* parse, const char* query_string, int cursor_options,
                            ::ParamListInfo params, ::planner_hook_type plain) {
    if (pg::local_only()) {
        return plain(parse, query_string, cursor_options, params);
    }
    const catalog::Catalog* herd = pg::enter("node side", [] { return catalog::current(); });
    Request request = {parse, query_string, cursor_options, params, plain, herd};
    if (is_foreign_key_query(parse, query_string)) {
        return run_plain(request);
    }
    if ((cursor_options & CURSOR_OPT_PARALLEL_OK) != 0 && may_run_statements(parse)) {
        request.cursor_options &= ~CURSOR_OPT_PARALLEL_OK;
    }
    return pg::is_nested() && herd != nullptr ? plan_nested(request) : plan_clients(request);
}

void initialize_node_side() {
    initialize_array_statistics();
    initialize_ownership_check();
}

}  // namespace herd::planner
