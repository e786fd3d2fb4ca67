// Which database has a supervisor: a table in shared memory that the launcher, the supervisors and
// every session share. A database is in it from the moment when a supervisor is wanted for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/guard.hpp"

extern "C" {
#include "datatype/timestamp.h"
}

namespace herd::worker {

// --- for sessions ---

// A supervisor is wanted for the database: starts it within moments.
void request_supervisor(Oid database);
// New databases may have come with a herd in them: the launcher looks.
void request_scan();
// The supervisor of this session's database looks at its nodes at once. Never fails.
void wake_supervisor() noexcept;

// The supervisor looks for deadlocks soon. Never fails.
void request_look() noexcept;

// Ends the supervisor of a database and keeps it from coming back until release_database, so that
// PostgreSQL finds the database unused. Waits for it, and may be canceled.
void hold_database(Oid database);
void release_database(Oid database) noexcept;

// --- for the launcher ---

struct Wanted {
    Oid database;
    bool running;  // or about to run
};

// Once, at its start.
void announce_launcher();
// Databases that want a supervisor and may have one now.
std::vector<Wanted> wanted_supervisors();
// False where the table is full.
bool want_supervisor(Oid database);
void forget_database(Oid database);
bool take_scan_request();

// --- for a supervisor ---

// False when the database has a supervisor already, or must not have one now. The entry is given
// back when the process ends.
bool claim_database(Oid database);
// This database wants no supervisor: there is no herd in it, or it is another herd's node. False
// when one was requested since request_count() gave that number: look again.
std::uint32_t request_count();
bool renounce_database(std::uint32_t known_requests);
// Shown in herd.supervisor.
void publish_tick(std::int64_t tick, const std::string& sentence);
// True once after wake_supervisor(), and after request_look().
bool take_wake();
bool take_look_request();

// --- for views ---

struct SupervisorStatus {
    Oid database;
    int pid;
    std::int64_t tick;
    std::string sentence;
    ::TimestampTz since;  // when the sentence began to hold
};
std::vector<SupervisorStatus> supervisors();

// A transaction that a node holds prepared and that is not its session's business any more.
struct InDoubt {
    std::int32_t node;
    std::uint64_t xid;
    char gid[128];
    char status[16];
    ::TimestampTz since;  // of its PREPARE
};
// Replaces what this database's supervisor has published; shows the first ones of many.
void publish_in_doubt(const std::vector<InDoubt>& transactions);
std::vector<InDoubt> in_doubt();

// From _PG_init.
void request_registry();

}  // namespace herd::worker
