// The COPY that does on a node what an INSERT of rows would. PostgreSQL style.
#pragma once

#include "executor/insert_plan_data.hpp"

extern "C" {
#include "nodes/parsenodes.h"
#include "utils/relcache.h"
}

namespace herd::planner {

// "COPY public.t (a, b) FROM STDIN ...", for the columns that the plan sends, or nullptr where COPY
// can't stand for the INSERT: it has RETURNING or ON CONFLICT, goes through a view, the table has
// row security or rules, or a column's values have no bytes that mean the same on every server.
char* copy_instead(const ::Query* insert, ::Relation target, const executor::InsertPlan& plan);

}  // namespace herd::planner
