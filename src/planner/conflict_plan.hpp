// INSERT ... ON CONFLICT DO UPDATE whose new values, or conditions, only this server can compute.
// PostgreSQL style.
#pragma once

#include "planner/statement_plan.hpp"

namespace herd::planner {

// Why the nodes can't carry out DO UPDATE by themselves; nullptr if they can.
const char* why_conflicts_here(const catalog::Catalog& herd, const ::Query* insert,
                               const catalog::Table& target);

// Two statements in one: an INSERT that keeps the rows in the way, locked, beside those proposed,
// and an UPDATE of these, computed row by row in the snapshot of before. A row that somebody
// inserts in between is in the way of the first, and so is not missed.
// Errors: kStatementNotCovered for policies that nodes can't apply, and a reference table without a
// primary key.
::PlannedStmt* plan_conflicts_here(const catalog::Catalog& herd, const PlanRequest& request,
                                   const catalog::Table& target);

}  // namespace herd::planner
