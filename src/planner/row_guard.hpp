// Keeps rows off a node that does not own their key, at the moment when they are stored: after
// BEFORE triggers, which may have given a row another key than the one that it was sent here by.
// PostgreSQL style.
#pragma once

#include "catalog/herd_catalog.hpp"

extern "C" {
#include "postgres.h"

#include "nodes/plannodes.h"
}

namespace herd::planner {

enum class GuardedRows {
    // Statements that the herd has brought to this server: only triggers can go wrong.
    kOfTriggers,
    // Those of a client that has connected to the node by itself.
    kAll
};

// Adds the check to the INSERTs, UPDATEs and MERGEs of a finished plan, where they concern tables
// that have rows on other nodes. Errors at execution: kKeyUpdate.
void guard_rows(const catalog::Catalog& herd, ::PlannedStmt* statement, GuardedRows which);

}  // namespace herd::planner
