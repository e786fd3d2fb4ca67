// Counters of what the router does, over all sessions since the server's start; view herd.stat.
#pragma once

#include <cstdint>

namespace herd::pg {

enum class Counter : int {
    kRouted,           // statements sent whole to one node
    kRoutedHere,       // statements fixed to one shard of this server, run in this backend
    kFanOut,           // statements sent to several nodes
    kRemoteScans,      // remote relations opened by plans
    kRowsInserted,     // rows that INSERT sent to nodes
    kRowsCopied,       // rows that COPY FROM sent to nodes
    kPlanned,          // statements over distributed tables that went through planning
    kPlannedByShape,   // statements with the plan of one that differed in its literals only
    kDeparsed,         // query trees turned into text
    kRoundTrips,       // times a session waited for an answer of a node
    kConnections,      // connections opened to nodes
    kRemotePrepared,   // prepared statements made on nodes
    kCommitsOnePhase,  // transactions that wrote on one node only
    kCommitsTwoPhase,  // transactions that wrote on several
    kStrictSnapshots,  // times that snapshots were taken while the commit gate was closed
    kRecovered,        // prepared transactions finished by the supervisor
    kDeadlockLooks,    // times that all servers were asked who waits for whom
    kDeadlocks,        // deadlocks over several servers that the supervisor ended
    kRetried,          // reads sent once more because their connection was dead
    kIdleClosed,       // connections to nodes closed because they were not used
    kSeatWaits,        // times a session waited for its turn to connect to a node
    kPreparedUsed,     // statements that ran as one kept prepared on the node
    kPreparedDropped,  // prepared statements that gave way to others on a node
    kShapesDropped,    // shapes that gave way to others
    kPreparedKept,     // prepared statements that all sessions have on nodes now
    kShapesKept,       // shapes that all sessions remember now
    kCount,
};

const char* counter_name(Counter counter);
void count(Counter counter, std::uint64_t by = 1);
// Of what there is now, which reset_counters leaves alone: kPreparedKept and what follows.
void gauge(Counter counter, std::int64_t by) noexcept;
std::uint64_t counter_value(Counter counter);
void reset_counters();

// From _PG_init.
void request_counters();

}  // namespace herd::pg
