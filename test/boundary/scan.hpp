// Entry points of the kind "custom scan callback".
#pragma once

struct PlannedStmt;

namespace herd::boundary {

void register_scan();
// Puts a custom scan on top of a plan; PostgreSQL style, call it below a guard.
void put_scan_on_top(PlannedStmt* statement);

}  // namespace herd::boundary
