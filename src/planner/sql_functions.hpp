// SQL functions in FROM that PostgreSQL's planner would replace by their bodies: done before
// anything is decided, because a body may read distributed tables. PostgreSQL style.
#pragma once

#include "catalog/herd_catalog.hpp"

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
}

namespace herd::planner {

// The query itself where there is nothing to replace; else a copy. dependencies: what the plan
// depends on besides, for PlannedStmt.invalItems.
::Query* inline_sql_functions(::Query* query, ::List** dependencies);

}  // namespace herd::planner
