// What each session of this server says about its connections to nodes: which process at the other
// end works for it, and for which one it waits right now. In shared memory, so that whoever looks
// for deadlocks, or shows the herd's activity, knows what belongs together. A session writes only
// its own entry, a word at a time; that costs nothing beside a round trip.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "pg/guard.hpp"
#include "pg/waiter.hpp"

extern "C" {
#include "access/transam.h"
#include "datatype/timestamp.h"
#include "storage/lock.h"
}

namespace herd::remote {

// --- for a connection ---

// Its place on the board; -1 where there is none left. Whoever waits over a connection without a
// place is not seen by the search for deadlocks.
int board_enter(NodeId node, int pid);
void board_leave(int place) noexcept;

// While alive, this session waits for the other end of the connection, for as long as it takes.
class BoardWait {
public:
    // -1: nothing to show.
    explicit BoardWait(int place);
    ~BoardWait();
    BoardWait(const BoardWait&) = delete;
    BoardWait& operator=(const BoardWait&) = delete;

    // Until when to wait before calling check(): kNoDeadline, or when the wait becomes a long one.
    [[nodiscard]] std::int64_t until() const { return long_at_; }
    // Says once that this is a long wait, which may be a deadlock. Throws 40P01 when this wait has
    // been found to be part of one and this session is to give way.
    void check();

private:
    int place_;
    std::int64_t long_at_ = pg::kNoDeadline;  // or: said, or not to be said
};

// Called by a session whose wait has become a long one.
void set_long_wait_hook(void (*hook)() noexcept);
// Called when a session's latch has been set in a wait for the connection with that place.
void set_wakeup_hook(void (*hook)(int place) noexcept);

// --- for a link ---

// in_transaction: what the other end holds stays until this transaction ends; settled: all answers
// to what takes locks away are here.
void board_state(int place, bool in_transaction, bool settled) noexcept;
// The distributed transaction that this session's connections work for from now on is the current
// one.
void board_transaction() noexcept;

// --- for whoever looks ---

struct BoardLink {
    NodeId node;
    int pid = 0;
    bool in_transaction = false;
    bool settled = true;
};

struct BoardEntry {
    int slot = 0;
    int pid = 0;
    Oid user = InvalidOid;
    std::string id;  // of the distributed transaction; empty when the session is in none
    ::TransactionId xid = InvalidTransactionId;
    ::LocalTransactionId local_xid = InvalidLocalTransactionId;
    ::TimestampTz started = 0;
    std::uint64_t wait = 0;  // 0: it waits for no node
    int waits_for = -1;      // position in links
    std::vector<BoardLink> links;
};

// The sessions of this database that have connections.
std::vector<BoardEntry> board_entries();
// Whether some session has waited for a node that long. Cheap.
bool board_has_long_waits();

// Has a session that waits for a node read answers that lie on its other connections.
void board_wake(const BoardEntry& entry);
// Ends the wait for a node, or for a lock on this server (wait = 0), of a session that has to give
// way: 40P01 with that detail. False when the session is not in that wait any more.
bool board_end_wait(const BoardEntry& entry, const std::string& detail);

// Why the current transaction has just been canceled, where that was to end a deadlock, once; else
// null. For errors on their way, so it never fails.
const char* take_deadlock_detail() noexcept;

// From _PG_init.
void request_board();

}  // namespace herd::remote
