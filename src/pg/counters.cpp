#include "pg/counters.hpp"

#include "pg/guard.hpp"
#include "pg/shared_memory.hpp"

extern "C" {
#include "port/atomics.h"
}

namespace herd::pg {

namespace {

constexpr int kCounters = static_cast<int>(Counter::kCount);

struct Counters {
    ::pg_atomic_uint64 values[kCounters];
};

Counters* shared = nullptr;

constexpr const char* kNames[kCounters] = {
    "routed",      "routed_here",     "fan_out",           "remote_scans",      "rows_inserted",
    "rows_copied", "planned",         "planned_by_shape",  "deparsed",          "round_trips",
    "connections", "remote_prepared", "commits_one_phase", "commits_two_phase", "strict_snapshots",
    "recovered",   "deadlock_looks",  "deadlocks",         "retried",           "idle_closed",
    "seat_waits",
};

void initialize(void* memory) {
    for (auto& value : static_cast<Counters*>(memory)->values) {
        ::pg_atomic_init_u64(&value, 0);
    }
}

}  // namespace

const char* counter_name(Counter counter) {
    return kNames[static_cast<int>(counter)];
}

void count(Counter counter, std::uint64_t by) {
    if (shared != nullptr) {
        ::pg_atomic_fetch_add_u64(&shared->values[static_cast<int>(counter)],
                                  static_cast<int64>(by));
    }
}

std::uint64_t counter_value(Counter counter) {
    return shared == nullptr ? 0 : ::pg_atomic_read_u64(&shared->values[static_cast<int>(counter)]);
}

void reset_counters() {
    if (shared != nullptr) {
        for (auto& value : shared->values) {
            ::pg_atomic_write_u64(&value, 0);
        }
    }
}

void request_counters() {
    add_shared_part(
        {"pg_herd counters", sizeof(Counters), initialize, reinterpret_cast<void**>(&shared)});
}

}  // namespace herd::pg
