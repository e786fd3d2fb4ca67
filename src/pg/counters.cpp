#include "pg/counters.hpp"

#include "pg/guard.hpp"
#include "pg/shared_memory.hpp"

#include <atomic>

extern "C" {
#include "storage/proc.h"
}

namespace herd::pg {

namespace {

constexpr int kCounters = static_cast<int>(Counter::kCount);

// What one process has counted, and those before it in its place. It alone writes here, so that
// counting needs no locked instruction and no cache line goes from processor to processor.
struct alignas(64) Counters {
    std::atomic<std::uint64_t> values[kCounters];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");

struct Shared {
    Counters zero;           // the sums when the counters were reset
    Counters of_process[1];  // one per backend
};

Shared* shared = nullptr;

constexpr const char* kNames[kCounters] = {
    "routed",      "routed_here",     "fan_out",           "remote_scans",      "rows_inserted",
    "rows_copied", "planned",         "planned_by_shape",  "deparsed",          "round_trips",
    "connections", "remote_prepared", "commits_one_phase", "commits_two_phase", "strict_snapshots",
    "recovered",   "deadlock_looks",  "deadlocks",         "retried",           "idle_closed",
    "seat_waits",  "prepared_used",   "prepared_dropped",  "shapes_dropped",    "prepared_kept",
    "shapes_kept",
};

Counters* own_counters() {
    auto number = MyProc == nullptr ? -1 : MyProc - ::ProcGlobal->allProcs;
    return shared == nullptr || number < 0 || number >= MaxBackends ? nullptr
                                                                    : &shared->of_process[number];
}

std::uint64_t sum_of(int counter) {
    std::uint64_t sum = 0;
    for (int i = 0; i < MaxBackends; ++i) {
        sum += shared->of_process[i].values[counter].load(std::memory_order_relaxed);
    }
    return sum;
}

}  // namespace

const char* counter_name(Counter counter) {
    return kNames[static_cast<int>(counter)];
}

void count(Counter counter, std::uint64_t by) {
    if (Counters* own = own_counters()) {
        auto& value = own->values[static_cast<int>(counter)];
        value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }
}

void gauge(Counter counter, std::int64_t by) noexcept {
    count(counter, static_cast<std::uint64_t>(by));
}

std::uint64_t counter_value(Counter counter) {
    int number = static_cast<int>(counter);
    return shared == nullptr ? 0 : sum_of(number) - shared->zero.values[number];
}

void reset_counters() {
    for (int i = 0; shared != nullptr && i < static_cast<int>(Counter::kPreparedKept); ++i) {
        shared->zero.values[i] = sum_of(i);
    }
}

void request_counters() {
    SharedPart part{"pg_herd counters", sizeof(Shared), nullptr, reinterpret_cast<void**>(&shared)};
    part.size_per_backend = sizeof(Counters);
    add_shared_part(part);
}

}  // namespace herd::pg
