// Plans that are shared by statements of one shape: where a statement has a literal, the plan has a
// parameter, and carries the literals' values with it. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "executor/execdesc.h"
#include "nodes/plannodes.h"
}

namespace herd::executor {

// Whether a plan can carry literals: its top is a HerdStatement or a HerdInsert.
bool can_carry_literals(const ::PlannedStmt* statement);

// literals: Consts, the values of parameters 1, 2, ... of a plan that can carry them.
void attach_literals(::PlannedStmt* statement, ::List* literals);

// Makes them the parameters of an execution that is about to start.
void pass_literals(::QueryDesc* query);

}  // namespace herd::executor
