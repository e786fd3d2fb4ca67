// COPY TO of a distributed table.
#pragma once

#include <cstdint>

#include "base/ids.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
}

namespace herd::copy {

// Copies the table as COPY (SELECT columns FROM ONLY table) TO, which goes through the planner, and
// returns the number of rows; empty where PostgreSQL must do it by itself: partitioned tables
// (refused), row security (a query already).
struct CopiedOut {
    bool done = false;
    std::uint64_t rows = 0;
};
CopiedOut copy_to(const ::PlannedStmt* planned, const char* query_string);

}  // namespace herd::copy
