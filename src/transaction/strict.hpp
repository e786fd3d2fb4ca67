// Reading with herd.read_consistency = strict: the snapshots on all nodes and here are taken in one
// round trip, while the commit gate is closed.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/ids.hpp"

namespace herd::transaction {

// A transaction with one snapshot (REPEATABLE READ, SERIALIZABLE) begins on every node. After
// BEGIN, SET and the like; does nothing unless such a transaction has just begun and is to be
// strict.
void open_strict_transaction();
// Whether that was done for the current transaction.
bool is_strict_transaction();

// The snapshots of one statement: those of these nodes under the statement's number (0: the
// transaction's only ones), and by take_own this server's. Errors: 40001 as ClosedGate,
// kNodeUnavailable of a node that stands still.
void take_snapshots(const std::vector<NodeId>& nodes, std::uint64_t number,
                    const std::function<void()>& take_own);

// From _PG_init, through initialize_session.
void initialize_strict();

}  // namespace herd::transaction
