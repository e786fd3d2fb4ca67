// The extension's ProcessUtility hook: COPY, definitions, and how deep statements are nested.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include "nodes/params.h"
#include "nodes/plannodes.h"
#include "tcop/utility.h"
}

namespace herd::ddl {

// Runs COPY when tables of the herd are in it; false when PostgreSQL has to.
using CopyHandler = bool (*)(::PlannedStmt* planned, const char* query_string,
                             ::ProcessUtilityContext context, ::ParamListInfo parameters,
                             ::QueryCompletion* completion);

// From _PG_init: who handles COPY.
void set_copy_handler(CopyHandler handler);

// From _PG_init: the hook and its settings.
void initialize_ddl();

}  // namespace herd::ddl
