// COPY of tables of the herd.
#pragma once

#include "base/ids.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "nodes/params.h"
#include "nodes/plannodes.h"
#include "tcop/cmdtag.h"
#include "tcop/utility.h"
}

namespace herd::copy {

// Called for each COPY statement, from the ProcessUtility hook; returns true when it has done the
// statement, false when PostgreSQL's own COPY is right: COPY (query) TO, local tables, tables whose
// rows are all here, and everything on nodes. PostgreSQL style: raises with ereport.
bool handle_copy(::PlannedStmt* planned, const char* query_string, ::ProcessUtilityContext context,
                 ::ParamListInfo parameters, ::QueryCompletion* completion);

}  // namespace herd::copy
