// Custom scans that hand on their child's columns. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/extensible.h"
#include "nodes/plannodes.h"
}

namespace herd::executor {

// A scan over a finished plan, with the same columns. Constants stay, because ModifyTable wants to
// see the nulls of dropped columns.
::CustomScan* scan_over(::Plan* child, const ::CustomScanMethods* methods);

}  // namespace herd::executor
