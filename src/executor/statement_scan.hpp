// HerdStatement: the CustomScan on top of a plan whose statement is sent whole, to one node
// (routed) or to several (UPDATE and DELETE), while the child plan, the standard planner's own,
// does this server's part.
#pragma once

#include "base/ids.hpp"
#include "executor/remote_plan.hpp"

extern "C" {
#include "nodes/execnodes.h"
}

namespace herd::executor {

// Wraps a finished plan: its top becomes a HerdStatement. parameters, key: see expressions_of.
// PostgreSQL style.
void wrap_statement(::PlannedStmt* statement, const RemotePlan& plan, ::Node* key,
                    ::List* parameters);

// The node that runs the statement of a HerdStatement for one node: the top of the plan, or below a
// Material.
NodeId node_of_statement(const ::PlanState* top);

// Whether a plan is one that wrap_statement has made. PostgreSQL style.
bool is_statement_scan(const ::Plan* plan);

// From _PG_init.
void initialize_statement_scan();

}  // namespace herd::executor
