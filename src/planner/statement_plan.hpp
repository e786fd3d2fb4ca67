// Plans of statements that nodes run whole: routed to one shard, or changed on every node.
// PostgreSQL style.
#pragma once

#include "planner/key_graph.hpp"
#include "planner/survey.hpp"

extern "C" {
#include "nodes/params.h"
#include "nodes/plannodes.h"
}

namespace herd::planner {

// What planner_hook was called with.
struct PlanRequest {
    ::Query* query;
    const char* text;
    int cursor_options;
    ::ParamListInfo parameters;
    // The planner that was there before.
    ::PlannedStmt* (*plain)(::Query*, const char*, int, ::ParamListInfo);
    // An INSERT: row security is applied to the rows that it returns.
    bool policies_applied = false;
};

// The statement goes to the one node that owns its key, when every distributed table in it is fixed
// to the same one; nullptr when it is not so.
::PlannedStmt* plan_routed(const catalog::Catalog& herd, const PlanRequest& request,
                           const KeyGraph& graph);

// UPDATE and DELETE of a distributed table that every node can do on its own rows; nullptr when it
// is not so.
::PlannedStmt* plan_modify_everywhere(const catalog::Catalog& herd, const PlanRequest& request,
                                      const KeyGraph& graph);

// INSERT of one row without volatile functions: it goes to the row's owner as it is; nullptr for
// any other.
::PlannedStmt* plan_insert_of_one(const PlanRequest& request, const catalog::Table& target,
                                  const KeyGraph& graph);

// INSERT ... SELECT whose rows stay on the nodes that they are read from; nullptr for any other.
::PlannedStmt* plan_insert_on_nodes(const PlanRequest& request, const catalog::Table& target,
                                    const KeyGraph& graph);

// UPDATE and DELETE of a reference table that come to the same on every node and here; nullptr when
// they may not.
::PlannedStmt* plan_modify_reference(const PlanRequest& request, const KeyGraph& graph);

[[noreturn]] void refuse_statement(const char* what, const char* reason, const char* hint);

}  // namespace herd::planner
