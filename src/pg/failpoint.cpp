#include "pg/failpoint.hpp"

#include <unistd.h>
#include <csignal>
#include <cstring>

#include "pg/guard.hpp"
#include "pg/shared_memory.hpp"
#include "pg/waiter.hpp"

extern "C" {
#include "storage/latch.h"
#include "storage/spin.h"
#include "utils/wait_event.h"
}

namespace herd::pg {

namespace {

constexpr int kSlots = 16;
constexpr int kNameSize = 64;

enum class Action : int { kNone, kError, kPause, kCrash };

struct Slot {
    char name[kNameSize];
    Action action;
    int waiting;
};

struct Failpoints {
    ::slock_t lock;
    volatile int active;
    Slot slots[kSlots];
};

Failpoints* shared = nullptr;

void initialize(void* memory) {
    SpinLockInit(&static_cast<Failpoints*>(memory)->lock);
}

// The slot of that name, or nullptr; call with the lock held.
Slot* find_slot(const char* name) {
    for (Slot& slot : shared->slots) {
        if (slot.action != Action::kNone && std::strcmp(slot.name, name) == 0) {
            return &slot;
        }
    }
    return nullptr;
}

Action look(const char* name, int waiting_change) {
    SpinLockAcquire(&shared->lock);
    Slot* slot = find_slot(name);
    Action action = slot == nullptr ? Action::kNone : slot->action;
    if (slot != nullptr) {
        slot->waiting += waiting_change;
    }
    SpinLockRelease(&shared->lock);
    return action;
}

void pause(const char* name) {
    look(name, +1);
    bool orphaned = false;
    while (!orphaned && look(name, 0) == Action::kPause) {
        int events = call([] {
            int seen = ::WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_POSTMASTER_DEATH, 10,
                                   PG_WAIT_EXTENSION);
            ::ResetLatch(MyLatch);
            return seen;
        });
        orphaned = (events & WL_POSTMASTER_DEATH) != 0 && survives_postmaster();
        if (::InterruptHoldoffCount == 0) {
            check_interrupts();
        }
    }
    look(name, -1);
}

Action parse_action(const std::string& action) {
    if (action == "error") {
        return Action::kError;
    }
    if (action == "pause") {
        return Action::kPause;
    }
    if (action == "crash") {
        return Action::kCrash;
    }
    throw Error(sqlstate::kInvalidParameter, "unknown failpoint action \"" + action + "\"")
        .hint("Use error, pause or crash.");
}

void require_shared() {
    if (shared == nullptr) {
        throw Error(sqlstate::kObjectNotInState, "pg_herd is not preloaded")
            .hint("Add pg_herd to shared_preload_libraries and restart the server.");
    }
}

}  // namespace

bool failpoints_active() {
    return shared != nullptr && shared->active > 0;
}

void reach_failpoint(const char* name) {
    switch (look(name, 0)) {
        case Action::kNone:
            return;
        case Action::kError:
            throw Error(sqlstate::kInternalError, std::string("failpoint \"") + name + "\"");
        case Action::kPause:
            pause(name);
            return;
        case Action::kCrash:
            ::kill(::getpid(), SIGKILL);
            return;
    }
}

void set_failpoint(const std::string& name, const std::string& action) {
    require_shared();
    Action parsed = parse_action(action);
    if (name.empty() || name.size() >= kNameSize) {
        throw Error(sqlstate::kInvalidParameter, "a failpoint's name has 1 to 63 characters");
    }
    clear_failpoint(name);
    bool stored = false;
    SpinLockAcquire(&shared->lock);
    for (Slot& slot : shared->slots) {
        if (slot.action == Action::kNone) {
            std::memcpy(slot.name, name.c_str(), name.size() + 1);
            slot.action = parsed;
            slot.waiting = 0;
            shared->active = shared->active + 1;
            stored = true;
            break;
        }
    }
    SpinLockRelease(&shared->lock);
    if (!stored) {
        throw Error(sqlstate::kObjectNotInState, "all failpoints are in use");
    }
}

void clear_failpoint(const std::string& name) {
    require_shared();
    SpinLockAcquire(&shared->lock);
    Slot* slot = find_slot(name.c_str());
    if (slot != nullptr) {
        slot->action = Action::kNone;
        shared->active = shared->active - 1;
    }
    SpinLockRelease(&shared->lock);
}

std::string paused_failpoints() {
    require_shared();
    std::string names;
    Slot copies[kSlots];
    SpinLockAcquire(&shared->lock);
    std::memcpy(copies, shared->slots, sizeof copies);
    SpinLockRelease(&shared->lock);
    for (const Slot& slot : copies) {
        if (slot.action == Action::kPause && slot.waiting > 0) {
            names += (names.empty() ? "" : ",") + std::string(slot.name);
        }
    }
    return names;
}

void request_failpoints() {
    add_shared_part(
        {"pg_herd failpoints", sizeof(Failpoints), initialize, reinterpret_cast<void**>(&shared)});
}

}  // namespace herd::pg
