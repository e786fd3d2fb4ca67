// A statement over several nodes in a session with herd.read_consistency = strict: before it
// begins, it gets snapshots of all of them in which no transaction is half committed.
#pragma once

extern "C" {
#include "postgres.h"

#include "executor/execdesc.h"
}

namespace herd::executor {

// Before ExecutorStart: gives the statement its snapshots, where it needs such, and reserves the
// number under which nodes keep theirs. Whether it did. Errors: 40001 when none can be had; 25001
// in a transaction whose only snapshot is older. PostgreSQL style.
bool take_strict_snapshots(::QueryDesc* query, int flags);

}  // namespace herd::executor
