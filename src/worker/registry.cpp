#include "worker/registry.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "pg/shared_memory.hpp"
#include "pg/waiter.hpp"

extern "C" {
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/spin.h"
#include "utils/timestamp.h"
}

namespace herd::worker {

namespace {

constexpr int kMostDatabases = 64;
constexpr int kSentenceSize = 512;
constexpr int kMostInDoubt = 32;  // shown per database

struct Entry {
    Oid database;  // InvalidOid: free
    int pid;       // its supervisor; 0: none
    ::Latch* latch;
    int holder;  // the session that needs the database unused
    bool wanted;
    std::uint32_t requests;  // how often it was wanted
    bool woken;
    bool look;  // for deadlocks
    std::int64_t tick;
    ::TimestampTz since;
    char sentence[kSentenceSize];
    int in_doubt_count;
    InDoubt in_doubt[kMostInDoubt];
};

struct Registry {
    ::slock_t lock;
    ::Latch* launcher;
    bool scan;
    Entry entries[kMostDatabases];
};

Registry* registry = nullptr;

// While alive, the registry is this process's. Nothing between may fail or take long.
class Locked {
public:
    Locked() { SpinLockAcquire(&registry->lock); }
    ~Locked() { SpinLockRelease(&registry->lock); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
};

// With the lock held.
Entry* find(Oid database) {
    for (Entry& entry : registry->entries) {
        if (entry.database == database) {
            return &entry;
        }
    }
    return nullptr;
}

// With the lock held. Null when the table is full.
Entry* find_or_add(Oid database) {
    Entry* entry = find(database);
    if (entry == nullptr) {
        entry = find(InvalidOid);
        if (entry != nullptr) {
            std::memset(static_cast<void*>(entry), 0, sizeof *entry);
            entry->database = database;
        }
    }
    return entry;
}

bool is_alive(int pid) {
    return pid != 0 && (::kill(pid, 0) == 0 || errno == EPERM);
}

void wake_launcher() noexcept {
    ::Latch* latch = nullptr;
    {
        Locked locked;
        latch = registry->launcher;
    }
    if (latch != nullptr) {
        ::SetLatch(latch);
    }
}

// Sets a flag of this database's supervisor and wakes it.
void raise(bool Entry::*flag) noexcept {
    ::Latch* latch = nullptr;
    if (registry != nullptr) {
        Locked locked;
        if (Entry* entry = find(MyDatabaseId)) {
            entry->*flag = true;
            latch = entry->latch;
        }
    }
    if (latch != nullptr) {
        ::SetLatch(latch);
    }
}

bool take(bool Entry::*flag) {
    Locked locked;
    Entry* entry = find(MyDatabaseId);
    return entry != nullptr && std::exchange(entry->*flag, false);
}

// When a supervisor ends, however it does.
void give_back(int, Datum) {
    {
        Locked locked;
        Entry* entry = find(MyDatabaseId);
        if (entry != nullptr && entry->pid == MyProcPid) {
            entry->pid = 0;
            entry->latch = nullptr;
            entry->in_doubt_count = 0;
        }
    }
    wake_launcher();
}

void forget_launcher(int, Datum) {
    Locked locked;
    if (registry->launcher == MyLatch) {
        registry->launcher = nullptr;
    }
}

void initialize(void* memory) {
    SpinLockInit(&static_cast<Registry*>(memory)->lock);
}

}  // namespace

void request_supervisor(Oid database) {
    if (registry != nullptr) {
        want_supervisor(database);
        wake_launcher();
    }
}

void request_scan() {
    if (registry != nullptr) {
        {
            Locked locked;
            registry->scan = true;
        }
        wake_launcher();
    }
}

void wake_supervisor() noexcept {
    raise(&Entry::woken);
}

void request_look() noexcept {
    raise(&Entry::look);
}

bool take_wake() {
    return take(&Entry::woken);
}

bool take_look_request() {
    return take(&Entry::look);
}

namespace {

// Waits until the database has no supervisor, which it tells to go.
void wait_for_end(Oid database) {
    int told = 0;
    while (true) {
        int pid = 0;
        {
            Locked locked;
            Entry* entry = find_or_add(database);
            if (entry != nullptr) {
                entry->holder = MyProcPid;
                pid = entry->pid;
            }
        }
        if (pid != 0 && pid != told && is_alive(pid)) {
            ::kill(pid, SIGTERM);
            told = pid;
        }
        // It gives its entry back before PostgreSQL has forgotten it.
        if (!is_alive(told)) {
            return;
        }
        pg::nap(10);
    }
}

}  // namespace

void hold_database(Oid database) {
    if (registry == nullptr || database == InvalidOid) {
        return;
    }
    try {
        wait_for_end(database);
    } catch (...) {
        release_database(database);
        throw;
    }
}

void release_database(Oid database) noexcept {
    if (registry == nullptr || database == InvalidOid) {
        return;
    }
    {
        Locked locked;
        Entry* entry = find(database);
        if (entry != nullptr && entry->holder == MyProcPid) {
            entry->holder = 0;
            if (!entry->wanted) {
                entry->database = InvalidOid;
            }
        }
    }
    wake_launcher();
}

void announce_launcher() {
    pg::call([] { ::before_shmem_exit(forget_launcher, Datum{0}); });
    Locked locked;
    registry->launcher = MyLatch;
}

std::vector<Wanted> wanted_supervisors() {
    Wanted found[kMostDatabases];
    int count = 0;
    {
        Locked locked;
        for (Entry& entry : registry->entries) {
            if (entry.holder != 0 && !is_alive(entry.holder)) {
                entry.holder = 0;  // it died in the middle of its statement
            }
            if (entry.database != InvalidOid && entry.wanted && entry.holder == 0) {
                found[count++] = {entry.database, entry.pid != 0};
            }
        }
    }
    return {found, found + count};
}

bool want_supervisor(Oid database) {
    Locked locked;
    Entry* entry = find_or_add(database);
    if (entry != nullptr) {
        entry->wanted = true;
        ++entry->requests;
    }
    return entry != nullptr;
}

void forget_database(Oid database) {
    Locked locked;
    Entry* entry = find(database);
    if (entry != nullptr && entry->pid == 0) {
        entry->wanted = false;
        if (entry->holder == 0) {
            entry->database = InvalidOid;
        }
    }
}

bool take_scan_request() {
    Locked locked;
    return std::exchange(registry->scan, false);
}

bool claim_database(Oid database) {
    if (registry == nullptr) {
        return false;
    }
    pg::call([] { ::before_shmem_exit(give_back, Datum{0}); });
    Locked locked;
    Entry* entry = find_or_add(database);
    if (entry == nullptr || entry->holder != 0 || is_alive(entry->pid)) {
        return false;
    }
    entry->wanted = true;
    entry->pid = MyProcPid;
    entry->latch = MyLatch;
    entry->tick = 0;
    entry->sentence[0] = '\0';
    return true;
}

std::uint32_t request_count() {
    Locked locked;
    const Entry* entry = find(MyDatabaseId);
    return entry == nullptr ? 0 : entry->requests;
}

bool renounce_database(std::uint32_t known_requests) {
    Locked locked;
    Entry* entry = find(MyDatabaseId);
    if (entry != nullptr && entry->requests != known_requests) {
        return false;
    }
    if (entry != nullptr && entry->pid == MyProcPid) {
        entry->wanted = false;
        entry->pid = 0;
        entry->latch = nullptr;
        entry->in_doubt_count = 0;
        if (entry->holder == 0) {
            entry->database = InvalidOid;
        }
    }
    return true;
}

void publish_tick(std::int64_t tick, const std::string& sentence) {
    ::TimestampTz now = ::GetCurrentTimestamp();
    std::size_t size = std::min<std::size_t>(sentence.size(), kSentenceSize - 1);
    Locked locked;
    Entry* entry = find(MyDatabaseId);
    if (entry == nullptr || entry->pid != MyProcPid) {
        return;
    }
    entry->tick = tick;
    if (std::strncmp(entry->sentence, sentence.c_str(), size) != 0 ||
        entry->sentence[size] != '\0') {
        std::memcpy(entry->sentence, sentence.data(), size);
        entry->sentence[size] = '\0';
        entry->since = now;
    }
}

std::vector<SupervisorStatus> supervisors() {
    std::vector<SupervisorStatus> found;
    if (registry == nullptr) {
        return found;
    }
    for (Entry& entry : registry->entries) {
        SupervisorStatus status{};
        char sentence[kSentenceSize];
        {
            Locked locked;
            status.database = entry.pid == 0 ? InvalidOid : entry.database;
            status.pid = entry.pid;
            status.tick = entry.tick;
            status.since = entry.since;
            std::memcpy(sentence, entry.sentence, sizeof sentence);
        }
        if (status.database != InvalidOid) {
            status.sentence = sentence;
            found.push_back(std::move(status));
        }
    }
    return found;
}

void publish_in_doubt(const std::vector<InDoubt>& transactions) {
    int count = static_cast<int>(std::min<std::size_t>(transactions.size(), kMostInDoubt));
    Locked locked;
    Entry* entry = find(MyDatabaseId);
    if (entry == nullptr || entry->pid != MyProcPid) {
        return;
    }
    std::copy_n(transactions.begin(), count, entry->in_doubt);
    entry->in_doubt_count = count;
}

std::vector<InDoubt> in_doubt() {
    InDoubt copies[kMostInDoubt];
    int count = 0;
    if (registry != nullptr) {
        Locked locked;
        const Entry* entry = find(MyDatabaseId);
        if (entry != nullptr) {
            count = entry->in_doubt_count;
            std::copy_n(entry->in_doubt, count, copies);
        }
    }
    return {copies, copies + count};
}

void request_registry() {
    pg::add_shared_part(
        {"pg_herd supervisors", sizeof(Registry), initialize, reinterpret_cast<void**>(&registry)});
}

}  // namespace herd::worker
