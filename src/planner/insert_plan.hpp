// INSERT into a distributed or reference table: the source is evaluated once, here; each row goes
// to the node that owns its key (or to all). PostgreSQL style.
#pragma once

#include "planner/statement_plan.hpp"

namespace herd::planner {

// Errors: kStatementNotCovered, kKeyUpdate for ON CONFLICT ... SET key.
::PlannedStmt* plan_insert(const catalog::Catalog& herd, const PlanRequest& request,
                           const catalog::Table& target);

// The same for an INSERT of which the nodes can do all but the source, row by row. keeps: not 0 if
// its ON CONFLICT keeps the rows in the way under that number (conflict_plan.hpp).
::PlannedStmt* plan_insert_rows(const catalog::Catalog& herd, const PlanRequest& request,
                                const catalog::Table& target, int keeps);

// Whether a subquery reads a table that is not a reference table.
bool reads_other_tables(const catalog::Catalog& herd, ::Node* node);

// Why the nodes can't evaluate a part of ON CONFLICT or RETURNING by themselves; nullptr if they
// can.
const char* why_not_on_nodes(const catalog::Catalog& herd, ::Node* part,
                             const catalog::Table& target);

}  // namespace herd::planner
