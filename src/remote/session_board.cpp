#include "remote/session_board.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <new>
#include <utility>

#include "pg/shared_memory.hpp"

extern "C" {
#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
}

namespace herd::remote {

namespace {

constexpr int kMostLinks = 128;
constexpr std::size_t kDetailSize = 2048;
constexpr unsigned kPlaceBits = 8;  // of Slot::wait

struct PostedLink {
    std::atomic<std::int32_t> node;
    std::atomic<std::int32_t> pid;  // 0: free
    std::atomic<bool> in_transaction;
    std::atomic<bool> unsettled;
};

// Written by its session alone, but for what ends a wait.
struct Slot {
    std::atomic<std::int32_t> pid;  // 0: nobody's
    std::atomic<::Oid> database;
    std::atomic<::LocalTransactionId> local_xid;
    std::atomic<std::int64_t> started;
    std::uint64_t waits;  // goes on counting for the next session
    // Number of the wait, and the link's place + 1 below it; 0: no wait.
    std::atomic<std::uint64_t> wait;
    std::atomic<std::int64_t> waits_since;  // by pg::now_ms
    std::atomic<std::uint64_t> ended_wait;
    std::atomic<::LocalTransactionId> ended_transaction;
    char detail[kDetailSize];  // written before either of them
    PostedLink links[kMostLinks];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");

struct Board {
    Slot slots[1];  // one per backend
};

Board* board = nullptr;
Slot* own = nullptr;
void (*long_wait_hook)() noexcept = nullptr;
void (*wakeup_hook)(int place) noexcept = nullptr;

void initialize(void* memory) {
    auto* slots = static_cast<Board*>(memory)->slots;
    for (int i = 0; i < MaxBackends; ++i) {
        new (&slots[i]) Slot{};
    }
}

void leave_board(int, Datum) {
    Slot* slot = std::exchange(own, nullptr);
    slot->wait = 0;
    for (PostedLink& link : slot->links) {
        link.pid = 0;
    }
    slot->pid = 0;
}

Slot* own_slot() {
    auto number = MyProc == nullptr ? -1 : MyProc - ::ProcGlobal->allProcs;
    if (own == nullptr && board != nullptr && number >= 0 && number < MaxBackends) {
        pg::call([] { ::before_shmem_exit(leave_board, Datum{0}); });
        own = &board->slots[number];
        own->wait = 0;
        own->local_xid = InvalidLocalTransactionId;
        own->ended_transaction = InvalidLocalTransactionId;
        own->database = MyDatabaseId;
        own->pid = MyProcPid;
    }
    return own;
}

::VirtualTransactionId virtual_transaction(const ::PGPROC& process) {
    ::VirtualTransactionId id;
    GET_VXID_FROM_PGPROC(id, process);
    return id;
}

PostedLink* link_at(int place) noexcept {
    return own == nullptr || place < 0 ? nullptr : &own->links[place];
}

}  // namespace

int board_enter(NodeId node, int pid) {
    Slot* slot = own_slot();
    for (int place = 0; slot != nullptr && place < kMostLinks; ++place) {
        PostedLink& link = slot->links[place];
        if (link.pid == 0) {
            link.node = node.value;
            link.in_transaction = false;
            link.unsettled = false;
            link.pid = pid;
            return place;
        }
    }
    return -1;
}

void board_leave(int place) noexcept {
    if (PostedLink* link = link_at(place)) {
        link->pid = 0;
    }
}

BoardWait::BoardWait(int place) : place_(own == nullptr ? -1 : place) {
    if (place_ >= 0) {
        std::int64_t now = pg::now_ms();
        long_at_ = now + ::DeadlockTimeout / 2;
        board_transaction();
        own->waits_since.store(now, std::memory_order_relaxed);
        own->wait.store(++own->waits << kPlaceBits | static_cast<unsigned>(place_ + 1),
                        std::memory_order_release);
    }
}

BoardWait::~BoardWait() {
    if (place_ >= 0 && own != nullptr) {
        own->wait.store(0, std::memory_order_release);
    }
}

void BoardWait::check() {
    if (place_ < 0) {
        return;
    }
    if (own->ended_wait == own->waits) {
        own->ended_wait = 0;
        throw Error(sqlstate::kDeadlockDetected, "deadlock detected")
            .detail(own->detail)
            .hint("See server log for query details.");
    }
    if (wakeup_hook != nullptr) {
        wakeup_hook(place_);
    }
    if (long_at_ != pg::kNoDeadline && pg::now_ms() >= long_at_) {
        long_at_ = pg::kNoDeadline;
        if (long_wait_hook != nullptr) {
            long_wait_hook();
        }
    }
}

void set_wakeup_hook(void (*hook)(int place) noexcept) {
    wakeup_hook = hook;
}

void set_long_wait_hook(void (*hook)() noexcept) {
    long_wait_hook = hook;
}

void board_state(int place, bool in_transaction, bool settled) noexcept {
    if (PostedLink* link = link_at(place)) {
        link->in_transaction.store(in_transaction, std::memory_order_release);
        link->unsettled.store(!settled, std::memory_order_release);
    }
}

void board_transaction() noexcept {
    if (own != nullptr) {
        ::LocalTransactionId current = virtual_transaction(*MyProc).localTransactionId;
        if (own->local_xid.load(std::memory_order_relaxed) != current) {
            own->started = ::GetCurrentTransactionStartTimestamp();
            own->local_xid = current;
        }
    }
}

namespace {

void read_links(const Slot& slot, BoardEntry& entry) {
    std::uint64_t wait = slot.wait;
    int place_waited_for = static_cast<int>(wait & ((1U << kPlaceBits) - 1)) - 1;
    for (int place = 0; place < kMostLinks; ++place) {
        const PostedLink& link = slot.links[place];
        int pid = link.pid;
        if (pid != 0) {
            if (place == place_waited_for) {
                entry.waits_for = static_cast<int>(entry.links.size());
            }
            entry.links.push_back({NodeId{link.node}, pid, link.in_transaction, !link.unsettled});
        }
    }
    // What was read belongs to this wait only if the session is still in it.
    entry.wait = entry.waits_for >= 0 && slot.wait == wait ? wait >> kPlaceBits : 0;
}

}  // namespace

std::vector<BoardEntry> board_entries() {
    std::vector<BoardEntry> entries;
    for (int i = 0; board != nullptr && i < MaxBackends; ++i) {
        const Slot& slot = board->slots[i];
        const ::PGPROC& process = ::ProcGlobal->allProcs[i];
        BoardEntry entry;
        entry.slot = i;
        entry.pid = slot.pid;
        if (entry.pid == 0 || entry.pid != process.pid || slot.database != MyDatabaseId) {
            continue;
        }
        entry.user = process.roleId;
        entry.started = slot.started;
        ::VirtualTransactionId current = virtual_transaction(process);
        if (current.localTransactionId != InvalidLocalTransactionId &&
            current.localTransactionId == slot.local_xid) {
            entry.local_xid = current.localTransactionId;
            entry.xid = process.xid;
            entry.id = std::to_string(kCoordinator.value) + ":" +
                       std::to_string(current.backendId) + "/" +
                       std::to_string(current.localTransactionId);
        }
        read_links(slot, entry);
        entries.push_back(std::move(entry));
    }
    return entries;
}

bool board_has_long_waits() {
    std::int64_t now = pg::now_ms();
    for (int i = 0; board != nullptr && i < MaxBackends; ++i) {
        const Slot& slot = board->slots[i];
        if (slot.pid != 0 && slot.wait != 0 && slot.database == MyDatabaseId &&
            now - slot.waits_since >= ::DeadlockTimeout / 2) {
            return true;
        }
    }
    return false;
}

void board_wake(const BoardEntry& entry) {
    ::PGPROC& process = ::ProcGlobal->allProcs[entry.slot];
    if (process.pid == entry.pid) {
        ::SetLatch(&process.procLatch);
    }
}

bool board_end_wait(const BoardEntry& entry, const std::string& detail) {
    Slot& slot = board->slots[entry.slot];
    ::PGPROC& process = ::ProcGlobal->allProcs[entry.slot];
    bool there = slot.pid == entry.pid && process.pid == entry.pid;
    if (entry.wait != 0) {
        there = there && slot.wait >> kPlaceBits == entry.wait;
    } else {
        there = there && process.waitStatus == PROC_WAIT_STATUS_WAITING &&
                virtual_transaction(process).localTransactionId == entry.local_xid;
    }
    if (!there) {
        return false;
    }
    int size = pg::call([&] {
        return ::pg_mbcliplen(detail.c_str(), static_cast<int>(detail.size()), kDetailSize - 1);
    });
    std::memcpy(slot.detail, detail.data(), static_cast<std::size_t>(size));
    slot.detail[size] = '\0';
    if (entry.wait != 0) {
        slot.ended_wait = entry.wait;
        ::SetLatch(&process.procLatch);
    } else {
        // PostgreSQL's wait for a lock knows no other way out.
        slot.ended_transaction = entry.local_xid;
        ::kill(entry.pid, SIGINT);
    }
    return true;
}

const char* take_deadlock_detail() noexcept {
    if (own == nullptr || own->ended_transaction == InvalidLocalTransactionId) {
        return nullptr;
    }
    ::LocalTransactionId ended = own->ended_transaction.exchange(InvalidLocalTransactionId);
    bool is_it = ended == virtual_transaction(*MyProc).localTransactionId;
    return is_it ? own->detail : nullptr;
}

void request_board() {
    pg::SharedPart part{"pg_herd sessions", 0, initialize, reinterpret_cast<void**>(&board)};
    part.size_per_backend = sizeof(Slot);
    pg::add_shared_part(part);
}

}  // namespace herd::remote
