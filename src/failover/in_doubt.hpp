// What becomes of a transaction that a node holds prepared: the coordinator's own commit decides.
#pragma once

#include <cstdint>
#include <string>

#include "model/prepared_id.hpp"

namespace herd {

// pg_xact_status of the coordinator's transaction. kNotGiven: its number is still to come, but not
// far ahead; kUnknown: its status is gone, or its number lies far ahead of this server's past.
enum class TransactionStatus { kInProgress, kCommitted, kAborted, kNotGiven, kUnknown };

// A crash loses the transaction numbers that no flushed WAL record has: those given since the last
// flush, which the WAL writer makes within seconds. No server gives more in that time.
constexpr std::uint64_t kMostNumbersLost = 1U << 24U;

enum class Verdict {
    kNotOurs,  // another herd's: never touched
    kLeave,    // its session is at work on it
    kCommit,
    kRollBack,
    kUndecidable,  // for people: this coordinator can't know
};

struct PreparedTransaction {
    PreparedId id;
    std::int64_t age_ms = 0;  // since its PREPARE, by the node's clock
};

// Who decides.
struct Decider {
    std::string cluster_id;
    std::int64_t term = 0;
    std::uint64_t run = 0;
};

// A session finishes its own transactions within its deadline; only what is older is taken from it.
constexpr std::int64_t kSessionsOwnMs = 1000;

// `recorded`: herd.dist_transaction shows this transaction of this run, which it does only if that
// has committed, and until the node has been seen without it. Look at it after the status.
Verdict judge(const PreparedTransaction& prepared, const Decider& decider, TransactionStatus status,
              bool recorded);

// The verdict as the word that herd.transactions shows.
const char* word_for(Verdict verdict);

}  // namespace herd
