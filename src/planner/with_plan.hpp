// Statements whose WITH changes rows, over several nodes. PostgreSQL style.
#pragma once

#include "planner/statement_plan.hpp"

namespace herd::planner {

// Each query of WITH that changes rows, and each that such a one reads, becomes a statement of its
// own, run before the rest; the others read its rows from a named tuplestore. All see the snapshot
// of before, and the rest is planned by whichever way fits it. Errors: kStatementNotCovered when a
// query of WITH reads one that comes after it.
::PlannedStmt* plan_with(const catalog::Catalog& herd, const PlanRequest& request);

// An INSERT with a WITH that several of its parts read: each query of it that is read runs before
// the rest, once.
::PlannedStmt* plan_with_before(const catalog::Catalog& herd, const PlanRequest& request);

// An INSERT whose RETURNING only this server can evaluate: it returns the rows as they are
// inserted, and RETURNING is a query over those. In the snapshot of before, as PostgreSQL has it.
::PlannedStmt* plan_returning_here(const catalog::Catalog& herd, const PlanRequest& request);
// The same for an INSERT whose rows are checked as they have been stored: against the views that it
// goes through, and with `policies` against row security.
::PlannedStmt* plan_checks_afterwards(const catalog::Catalog& herd, const PlanRequest& request,
                                      bool policies);

}  // namespace herd::planner
