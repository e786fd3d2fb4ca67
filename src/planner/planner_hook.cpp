#include "planner/planner_hook.hpp"

#include "pg/counters.hpp"
#include "pg/guard.hpp"
#include "pg/local_only.hpp"
#include "pg/plan_settings.hpp"
#include "pg/statement_depth.hpp"
#include "planner/cursor_plan.hpp"
#include "planner/fragment.hpp"
#include "planner/function_rules.hpp"
#include "planner/insert_plan.hpp"
#include "planner/modify_plan.hpp"
#include "planner/modify_query.hpp"
#include "planner/named_objects.hpp"
#include "planner/nested_guard.hpp"
#include "planner/node_side.hpp"
#include "planner/ownership_filter.hpp"
#include "planner/remote_path.hpp"
#include "planner/row_guard.hpp"
#include "planner/shape.hpp"
#include "planner/shippable.hpp"
#include "planner/sql_functions.hpp"
#include "planner/statement_plan.hpp"
#include "planner/with_plan.hpp"
#include "transaction/internal.hpp"

extern "C" {
#include "access/parallel.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/planner.h"
#include "parser/parsetree.h"
#include "tcop/pquery.h"
}

namespace herd::planner {

namespace {

::planner_hook_type previous_hook = nullptr;

::PlannedStmt* unfiltered(::Query* query, const char* text, int cursor_options,
                          ::ParamListInfo parameters) {
    return previous_hook != nullptr ? previous_hook(query, text, cursor_options, parameters)
                                    : ::standard_planner(query, text, cursor_options, parameters);
}

::PlannedStmt* plain(::Query* query, const char* text, int cursor_options,
                     ::ParamListInfo parameters) {
    return plan_owned_rows(query, text, cursor_options, parameters, unfiltered);
}

bool modifies(const ::Query* query) {
    return query->commandType != CMD_SELECT && query->commandType != CMD_UTILITY;
}

::PlannedStmt* plan_modify(const catalog::Catalog& herd, const PlanRequest& request,
                           const Survey& found) {
    KeyGraph* graph = build_key_graph(herd, request.query);
    const catalog::Table* target = found.target;
    bool is_reference = target != nullptr && target->kind == TableKind::kReference;
    ::PlannedStmt* whole =
        is_reference ? plan_modify_reference(request, *graph) : plan_routed(herd, request, *graph);
    // A function in a policy hides rows in silence, or fails, if it does not see the whole herd.
    auto* policies = reinterpret_cast<::Node*>(policies_of(request.query));
    if (whole == nullptr && target != nullptr && !is_reference && is_shippable(policies)) {
        whole = plan_modify_everywhere(herd, request, *graph);
    }
    if (whole != nullptr) {
        return whole;
    }
    // Rows that are all here are PostgreSQL's own business, wherever the others come from.
    bool all_here = target == nullptr || (!is_reference && target->group->all_here);
    return all_here ? plan_over_fragments(herd, request) : plan_modify_rows(herd, request, *target);
}

// A statement that touches rows of other nodes.
::PlannedStmt* plan_distributed(const catalog::Catalog& herd, const PlanRequest& request,
                                const Survey& found) {
    pg::count(pg::Counter::kPlanned);
    if (IsParallelWorker()) {
        ereport(ERROR, (errcode(sqlstate::kStatementNotCovered.code),
                        errmsg("a parallel worker cannot query a distributed table"),
                        errhint("Mark the function that does it PARALLEL RESTRICTED or UNSAFE.")));
    }
    const ::Query* query = request.query;
    if (query->hasModifyingCTE) {
        // A reference table changes on every node.
        ::PlannedStmt* routed =
            found.modifies_reference
                ? nullptr
                : plan_routed(herd, request, *build_key_graph(herd, request.query));
        return routed != nullptr ? routed : plan_with(herd, request);
    }
    if (query->commandType == CMD_INSERT && found.target != nullptr) {
        return plan_insert(herd, request, *found.target);
    }
    if (modifies(query)) {
        return plan_modify(herd, request, found);
    }
    if (is_cursor(request)) {
        return plan_cursor(herd, request);
    }
    KeyGraph* graph = build_key_graph(herd, request.query);
    bool may_route = graph->refs != NIL && (pg::route_enabled() || query->rowMarks != NIL);
    ::PlannedStmt* routed = may_route ? plan_routed(herd, request, *graph) : nullptr;
    if (routed != nullptr) {
        return routed;
    }
    return plan_over_fragments(herd, request);
}

// What the session is, before anything is planned.
struct Situation {
    const catalog::Catalog* herd;  // nullptr: nothing to do with the herd
    bool internal;
    bool own_rows;  // a statement of the herd's own over this server's rows
};

Situation find_situation() {
    const catalog::Catalog* herd = pg::local_only() ? nullptr : catalog::current();
    if (herd == nullptr) {
        return {nullptr, false, false};
    }
    bool internal = transaction::is_internal_session();
    bool matters = internal || !herd->tables.empty();
    return {matters ? herd : nullptr, internal, pg::take_own_rows()};
}

// The plan of a statement that needs the herd, or nullptr.
::PlannedStmt* choose(const catalog::Catalog& herd, const PlanRequest& request) {
    if (is_foreign_key_query(request.query, request.text)) {
        return nullptr;
    }
    Survey found = survey(herd, request.query);
    bool has_nodes = herd.nodes.size() > 1;
    bool writes_reference =
        has_nodes && found.target != nullptr && found.target->kind == TableKind::kReference;
    if (!found.remote_rows && !writes_reference && !(found.modifies_in_cte && has_nodes)) {
        return nullptr;
    }
    return plan_distributed(herd, request, found);
}

}  // namespace

::PlannedStmt* plan_by_any_way(const catalog::Catalog& herd, const PlanRequest& request) {
    ::PlannedStmt* statement = choose(herd, request);
    return statement != nullptr
               ? statement
               : plain(request.query, request.text, request.cursor_options, request.parameters);
}

namespace {

// What a statement of a client of the coordinator is planned with, but for the query itself.
struct Client {
    const catalog::Catalog* herd;
    const char* text;
    int cursor_options;
    ::ParamListInfo parameters;
};

// A function in a procedural language may query distributed tables, which parallel workers can't,
// whatever it is marked as.
int options_without_herd(const Client& client, const ::Query* query) {
    bool asks = (client.cursor_options & CURSOR_OPT_PARALLEL_OK) != 0 &&
                client.herd->nodes.size() > 1 && may_run_statements(query);
    return asks ? client.cursor_options & ~CURSOR_OPT_PARALLEL_OK : client.cursor_options;
}

::PlannedStmt* plan_for_client(::Query* query, void* context) {
    const Client& client = *static_cast<const Client*>(context);
    ::List* dependencies = NIL;
    ::Query* whole = inline_sql_functions(query, &dependencies);
    PlanRequest request = {whole, client.text, client.cursor_options, client.parameters, plain};
    ::PlannedStmt* statement = choose(*client.herd, request);
    if (statement != nullptr) {
        statement->invalItems = ::list_concat(statement->invalItems, dependencies);
        statement->invalItems = ::list_concat(statement->invalItems, named_objects(whole));
        make_scrollable(statement, client.cursor_options);
    } else {
        statement =
            plain(query, client.text, options_without_herd(client, query), client.parameters);
    }
    guard_rows(*client.herd, statement, GuardedRows::kOfTriggers);
    return statement;
}

// A statement that has come as a text by itself, from outside of any other.
bool has_come_alone(::ParamListInfo parameters) {
    return parameters == nullptr && ::ActivePortal == nullptr && pg::statement_depth() == 1;
}

::PlannedStmt* plan(::Query* query, const char* text, int cursor_options,
                    ::ParamListInfo parameters) {
    Situation situation = pg::enter("planner", [] { return find_situation(); });
    if (situation.herd == nullptr) {
        return plain(query, text, cursor_options, parameters);
    }
    if (situation.internal) {
        return plan_on_node(query, text, cursor_options, parameters, plain);
    }
    ::PlannedStmt* statement = nullptr;
    if (!situation.herd->is_coordinator()) {
        // A client that has connected to the node by itself.
        statement = plain(query, text, cursor_options, parameters);
        guard_rows(*situation.herd, statement, GuardedRows::kAll);
        return statement;
    }
    // Functions that planning runs are not the client's own statement.
    int depth = pg::statement_depth();
    bool was_part = set_part_of_larger(false);
    pg::run_finally(
        [&] {
            pg::set_statement_depth(depth + 1);
            if (situation.own_rows) {
                statement = plain(query, text, cursor_options, parameters);
                guard_rows(*situation.herd, statement, GuardedRows::kOfTriggers);
                return;
            }
            Client client = {situation.herd, text, cursor_options, parameters};
            if (has_come_alone(parameters)) {
                statement = plan_by_shape(*situation.herd, query, plan_for_client, &client);
            }
            if (statement == nullptr) {
                statement = plan_for_client(query, &client);
            }
        },
        [&] {
            pg::set_statement_depth(depth);
            (void)set_part_of_larger(was_part);
        });
    return statement;
}

}  // namespace

void initialize_planner() {
    previous_hook = ::planner_hook;
    ::planner_hook = plan;
    initialize_remote_paths();
    initialize_ownership_filter();
    initialize_shapes();
    initialize_named_objects();
}

}  // namespace herd::planner
