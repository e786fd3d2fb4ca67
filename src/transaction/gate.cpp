#include "transaction/gate.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/sqlstate.hpp"
#include "catalog/herd_catalog.hpp"
#include "pg/shared_memory.hpp"
#include "pg/waiter.hpp"

extern "C" {
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/spin.h"
#include "utils/wait_event.h"
}

namespace herd::transaction {

namespace {

constexpr int kMostDatabases = 64;
constexpr int kMostNodes = 256;
constexpr int kMostDoubts = 1024;
// How long a reader keeps writers out while it waits for those inside: one of them may wait for a
// lock that another writer holds.
constexpr std::int64_t kCloseMs = 1000;
// How long it tries.
constexpr std::int64_t kTryMs = 5000;
constexpr long kSliceMs = 100;

struct DatabaseGate {
    Oid database;  // InvalidOid: free
    int holders;
    int closers;  // readers for which it is closed, or being closed
    int waiting;  // writers
    int turn;     // of those, how many come in before it is closed again
    int looked_count;
    std::int32_t looked[kMostNodes];
    ::ConditionVariable changed;
};

struct Doubt {
    Oid database;
    std::int32_t node;
    std::uint64_t xid;
    std::int64_t since;
};

struct Gates {
    ::slock_t lock;
    int doubt_count;
    Doubt doubts[kMostDoubts];
    DatabaseGate databases[kMostDatabases];
};

Gates* gates = nullptr;
bool holds = false;
bool closes = false;

// While alive, the gates are this process's. Nothing between may fail or take long.
class Locked {
public:
    Locked() { SpinLockAcquire(&gates->lock); }
    ~Locked() { SpinLockRelease(&gates->lock); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
};

// This database's; those that find no place share the last.
DatabaseGate& gate() {
    static DatabaseGate* found = nullptr;
    if (found != nullptr) {
        return *found;
    }
    Locked locked;
    for (DatabaseGate& entry : gates->databases) {
        if (entry.database == MyDatabaseId || entry.database == InvalidOid) {
            entry.database = MyDatabaseId;
            found = &entry;
            return entry;
        }
    }
    found = &gates->databases[kMostDatabases - 1];
    return *found;
}

void announce() noexcept {
    ::ConditionVariableBroadcast(&gate().changed);
}

// Waits until the condition holds, which is asked without the lock. False after the deadline.
template <typename Condition>
bool wait_until(Condition&& holds_now, std::int64_t deadline_ms) {
    ::ConditionVariable* changed = &gate().changed;
    bool reached = holds_now();
    while (!reached && (deadline_ms == pg::kNoDeadline || pg::now_ms() < deadline_ms)) {
        try {
            pg::call(
                [&] { (void)::ConditionVariableTimedSleep(changed, kSliceMs, PG_WAIT_EXTENSION); });
        } catch (...) {
            ::ConditionVariableCancelSleep();
            throw;
        }
        reached = holds_now();
    }
    ::ConditionVariableCancelSleep();
    return reached;
}

void open_gate() noexcept {
    if (!closes) {
        return;
    }
    closes = false;
    {
        DatabaseGate& own = gate();
        Locked locked;
        if (--own.closers == 0) {
            own.turn = own.waiting;
        }
    }
    announce();
}

void leave_at_exit(int, Datum) {
    leave_gate();
    open_gate();
}

void register_exit() {
    static bool registered = false;
    if (!registered) {
        registered = true;
        pg::call([] { ::before_shmem_exit(leave_at_exit, Datum{0}); });
    }
}

// --- writers ---

// A writer at the gate; gives its place up if it never comes in.
class Waiting {
public:
    ~Waiting() {
        if (queued_) {
            {
                Locked locked;
                step_out();
            }
            announce();
        }
    }
    bool try_enter() {
        DatabaseGate& own = gate();
        Locked locked;
        if (own.closers > 0) {
            own.waiting += queued_ ? 0 : 1;
            queued_ = true;
            return false;
        }
        if (queued_) {
            step_out();
        }
        ++own.holders;
        return true;
    }

private:
    void step_out() {
        DatabaseGate& own = gate();
        --own.waiting;
        own.turn -= own.turn > 0 ? 1 : 0;
        queued_ = false;
    }
    bool queued_ = false;
};

// --- readers ---

void close_gate() {
    DatabaseGate& own = gate();
    auto try_close = [&] {
        Locked locked;
        if (own.turn > 0 || (own.closers > 0 && own.waiting > 0)) {
            return false;
        }
        ++own.closers;
        closes = true;
        return true;
    };
    wait_until(try_close, pg::kNoDeadline);
}

bool is_empty() {
    DatabaseGate& own = gate();
    Locked locked;
    return own.holders == 0;
}

// The node that keeps a reader from a whole view, and why.
struct Obstacle {
    NodeId node;
    std::uint64_t xid;  // 0: nobody has looked at it yet
};

bool is_looked_at_locked(const DatabaseGate& own, std::int32_t node) {
    const std::int32_t* end = own.looked + own.looked_count;  // where databases share it, anybody's
    return own.database == MyDatabaseId && std::find(own.looked, end, node) != end;
}

bool find_obstacle(const std::vector<NodeId>& nodes, Obstacle* found) {
    DatabaseGate& own = gate();
    Locked locked;
    for (NodeId node : nodes) {
        if (!is_looked_at_locked(own, node.value)) {
            *found = {node, 0};
            return true;
        }
        for (int i = 0; i < gates->doubt_count; ++i) {
            const Doubt& doubt = gates->doubts[i];
            if (doubt.database == MyDatabaseId && doubt.node == node.value) {
                *found = {node, doubt.xid};
                return true;
            }
        }
    }
    return false;
}

[[noreturn]] void refuse(const std::optional<Obstacle>& obstacle) {
    Error error(sqlstate::kSerializationFailure, "no whole view of the nodes could be had within " +
                                                     std::to_string(kTryMs / 1000) + " s");
    if (!obstacle) {
        throw error.detail("Transactions over several nodes did not finish their commits.")
            .hint("Try again.");
    }
    const catalog::Catalog* herd = catalog::current();
    const catalog::NodeEntry* entry = herd == nullptr ? nullptr : herd->node(obstacle->node);
    std::string name = entry != nullptr ? entry->name : std::to_string(obstacle->node.value);
    if (obstacle->xid == 0) {
        throw error
            .detail("The supervisor has not reached node \"" + name +
                    "\" since this server's start, so it may hold a half of a transaction.")
            .hint("Look at herd.nodes; or read with herd.read_consistency = node.");
    }
    throw error
        .detail("Transaction " + std::to_string(obstacle->xid) + " is committed, and node \"" +
                name + "\" has not acknowledged it.")
        .hint("Look at herd.transactions; or read with herd.read_consistency = node.");
}

void remove_doubt(int position) {
    gates->doubts[position] = gates->doubts[--gates->doubt_count];
}

// With the lock held. False when there is no place.
bool add_doubt(NodeId node, std::uint64_t xid) {
    if (gates->doubt_count == kMostDoubts) {
        return false;
    }
    gates->doubts[gates->doubt_count++] = {MyDatabaseId, node.value, xid, pg::now_ms()};
    return true;
}

void initialize(void* memory) {
    auto* made = static_cast<Gates*>(memory);
    SpinLockInit(&made->lock);
    for (DatabaseGate& entry : made->databases) {
        ::ConditionVariableInit(&entry.changed);
    }
}

}  // namespace

void enter_gate() {
    if (holds || gates == nullptr) {
        return;
    }
    register_exit();
    Waiting waiting;
    wait_until([&] { return holds = waiting.try_enter(); }, pg::kNoDeadline);
}

void leave_gate() noexcept {
    if (!holds) {
        return;
    }
    holds = false;
    {
        DatabaseGate& own = gate();
        Locked locked;
        --own.holders;
    }
    announce();
}

void leave_in_doubt(NodeId node, std::uint64_t xid) noexcept {
    if (gates == nullptr) {
        return;
    }
    DatabaseGate& own = gate();
    Locked locked;
    if (!add_doubt(node, xid)) {
        own.looked_count = 0;  // the supervisor has to look again
    }
}

void settle_in_doubt(NodeId node, std::uint64_t xid) noexcept {
    if (gates == nullptr) {
        return;
    }
    {
        (void)gate();
        Locked locked;
        for (int i = gates->doubt_count - 1; i >= 0; --i) {
            const Doubt& doubt = gates->doubts[i];
            if (doubt.database == MyDatabaseId && doubt.node == node.value && doubt.xid == xid) {
                remove_doubt(i);
            }
        }
    }
    announce();
}

ClosedGate::ClosedGate(const std::vector<NodeId>& nodes) {
    register_exit();
    std::int64_t deadline = pg::now_ms() + kTryMs;
    while (true) {
        close_gate();
        std::optional<Obstacle> obstacle;
        Obstacle found{};
        try {
            if (wait_until(is_empty, pg::now_ms() + kCloseMs)) {
                if (!find_obstacle(nodes, &found)) {
                    return;
                }
                obstacle = found;
            }
            open_gate();
            if (pg::now_ms() > deadline) {
                refuse(obstacle);
            }
            if (obstacle) {
                wait_until([&] { return !find_obstacle(nodes, &found); }, deadline);
            }
        } catch (...) {
            open_gate();
            throw;
        }
    }
}

ClosedGate::~ClosedGate() {
    open_gate();
}

void take_look(NodeId node, std::int64_t asked_at, const std::vector<std::uint64_t>& prepared,
               const std::vector<std::uint64_t>& committed) {
    if (gates == nullptr) {
        return;
    }
    DatabaseGate& own = gate();
    {
        Locked locked;
        for (int i = gates->doubt_count - 1; i >= 0; --i) {
            const Doubt& doubt = gates->doubts[i];
            bool gone = std::find(prepared.begin(), prepared.end(), doubt.xid) == prepared.end();
            if (doubt.database == MyDatabaseId && doubt.node == node.value &&
                doubt.since < asked_at && gone) {
                remove_doubt(i);
            }
        }
        bool all_noted = own.looked_count < kMostNodes;
        if (!is_looked_at_locked(own, node.value)) {
            for (std::uint64_t xid : committed) {
                all_noted = add_doubt(node, xid) && all_noted;
            }
            if (all_noted) {
                own.looked[own.looked_count++] = node.value;
            }
        }
    }
    announce();
}

bool is_looked_at(NodeId node) {
    if (gates == nullptr) {
        return false;
    }
    DatabaseGate& own = gate();
    Locked locked;
    return is_looked_at_locked(own, node.value);
}

void request_gate() {
    pg::add_shared_part(
        {"pg_herd commit gate", sizeof(Gates), initialize, reinterpret_cast<void**>(&gates)});
}

}  // namespace herd::transaction
