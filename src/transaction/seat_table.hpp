// The table behind seats.hpp: what the sessions of this server share. All functions but Locked's
// are called with the lock held, and none of them fails or takes long.
#pragma once

#include <cstdint>

#include "base/ids.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "port/atomics.h"
#include "storage/backendid.h"
#include "storage/latch.h"
#include "storage/spin.h"
}

namespace herd::transaction::seats {

constexpr int kMostPlaces = 256;  // databases times nodes; what does not fit is not counted

// A node as one database sees it.
struct Place {
    Oid database;
    std::int32_t node;
    int taken;
    int waiting;
};

struct Session {
    int pid;  // 0: none
    ::BackendId backend;
    ::Latch* latch;
    bool works;
    std::int64_t idle_since;
    std::uint64_t held[kMostPlaces / 64];  // seats, by place
    int place;                             // that it waits for, or has waited for
    bool waits;
    bool granted;
    std::uint64_t ticket;  // its turn; 0: none yet
    std::int64_t since;
};

struct Table {
    ::slock_t lock;
    ::pg_atomic_uint32 waiting;
    std::uint64_t tickets;
    Place places[kMostPlaces];
    // As many as the server may have, by BackendId.
    Session* sessions() { return reinterpret_cast<Session*>(this + 1); }
};

// Null where the library was not preloaded.
Table* table();

class Locked {
public:
    Locked() { SpinLockAcquire(&table()->lock); }
    ~Locked() { SpinLockRelease(&table()->lock); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
};

// The place of this database's node; -1 when there is no room for it.
int find_or_add(NodeId node);
bool holds(const Session& session, int place);
void sit_down(Session& session, int place);
// Whom to wake, if anyone, since he got the seat.
[[nodiscard]] ::Latch* stand_up(Session& session, int place, int most);

void start_waiting(Session& session, int place, std::int64_t now);
void stop_waiting(Session& session);
// Null: nobody waits.
Session* first_in_queue(int place);
// Lets the first of the queue sit down if there is a seat. Returns whom to wake.
[[nodiscard]] ::Latch* grant(int place, int most);

// From request_seats.
void request_table();

}  // namespace herd::transaction::seats
