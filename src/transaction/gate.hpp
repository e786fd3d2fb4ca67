// The commit gate: who closes it sees no half of a transaction over several servers.
//
// A transaction that writes and has touched more than one server holds a share of it from before
// its commit here until the last node's acknowledgement. A part that a node has yet to commit after
// that stays in doubt until the session or the supervisor has settled it. A reader closes the gate
// for the one round trip in which it takes its snapshots; readers that come together share one
// closing, and let the writers that wait through before the next.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.hpp"

namespace herd::transaction {

// --- for writers ---

// Takes a share of the gate, which lasts until leave_gate. Waits while it is closed; may be
// canceled.
void enter_gate();
void leave_gate() noexcept;
// A node has not acknowledged that transaction's commit. Before leave_gate.
void leave_in_doubt(NodeId node, std::uint64_t xid) noexcept;
// It has.
void settle_in_doubt(NodeId node, std::uint64_t xid) noexcept;

// --- for readers ---

// While alive, no transaction is half committed on these nodes and here, and none commits.
class ClosedGate {
public:
    // Errors: 40001 when a transaction stays in doubt on one of the nodes, or the supervisor has
    // not looked at it since this server's start.
    explicit ClosedGate(const std::vector<NodeId>& nodes);
    ~ClosedGate();
    ClosedGate(const ClosedGate&) = delete;
    ClosedGate& operator=(const ClosedGate&) = delete;
};

// --- for the supervisor ---

// What a node was seen to hold prepared, by a question that was asked then (pg::now_ms). The first
// time since this server's start, those that are committed here come to be in doubt.
void take_look(NodeId node, std::int64_t asked_at, const std::vector<std::uint64_t>& prepared,
               const std::vector<std::uint64_t>& committed);
// Whether that has happened since this server's start.
bool is_looked_at(NodeId node);

// From _PG_init.
void request_gate();

}  // namespace herd::transaction
