#include "pg/waiter.hpp"

#include <algorithm>
#include <chrono>

#include "pg/compat.hpp"

extern "C" {
#include "storage/ipc.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"
}

namespace herd::pg {

std::int64_t now_ms() {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    return duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool survives_postmaster() {
    if (::InterruptHoldoffCount == 0) {
        call([] { ::proc_exit(1); });
    }
    ::whereToSendOutput = DestNone;
    ::ProcDiePending = true;
    ::InterruptPending = true;
    return true;
}

void nap(long milliseconds) {
    int events = call([&] {
        int seen = ::WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_POSTMASTER_DEATH,
                               milliseconds, PG_WAIT_EXTENSION);
        ::ResetLatch(MyLatch);
        return seen;
    });
    if ((events & WL_POSTMASTER_DEATH) != 0) {
        survives_postmaster();
    }
    check_interrupts();
}

SocketWaiter::~SocketWaiter() {
    if (set_ != nullptr) {
        ::FreeWaitEventSet(set_);
    }
}

SocketSet::SocketSet(int most)
    : set_(call([&] { return compat::create_wait_event_set(TopMemoryContext, most + 2); })) {
    ::WaitEventSet* set = set_;
    call([&] {
        ::AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, nullptr);
        ::AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, nullptr, nullptr);
    });
}

SocketSet::~SocketSet() {
    ::FreeWaitEventSet(set_);
}

void SocketSet::add(int socket, int events, void* tag) {
    call([&] { ::AddWaitEventToSet(set_, static_cast<uint32>(events), socket, nullptr, tag); });
}

std::vector<void*> SocketSet::wait(std::int64_t milliseconds) {
    constexpr int kMostEvents = 64;
    ::WaitEvent events[kMostEvents];
    auto timeout = static_cast<long>(std::max<std::int64_t>(0, milliseconds));
    int count = call(
        [&] { return ::WaitEventSetWait(set_, timeout, events, kMostEvents, PG_WAIT_EXTENSION); });
    std::vector<void*> ready;
    for (int i = 0; i < count; ++i) {
        if ((events[i].events & WL_LATCH_SET) != 0) {
            ::ResetLatch(MyLatch);
        } else {
            ready.push_back(events[i].user_data);
        }
    }
    check_interrupts();
    return ready;
}

void SocketWaiter::prepare(int socket, int events) {
    // The set is bound to a descriptor: a new socket may have got the number of an old one, so the
    // owner of a closed socket throws its waiter away.
    if (set_ == nullptr || socket != socket_) {
        if (set_ != nullptr) {
            ::FreeWaitEventSet(set_);
            set_ = nullptr;
        }
        set_ = call([&] {
            ::WaitEventSet* set = compat::create_wait_event_set(TopMemoryContext, 3);
            ::AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, nullptr);
            ::AddWaitEventToSet(set, WL_POSTMASTER_DEATH, PGINVALID_SOCKET, nullptr, nullptr);
            ::AddWaitEventToSet(set, static_cast<uint32>(events), socket, nullptr, nullptr);
            return set;
        });
        socket_ = socket;
        events_ = events;
    } else if (events != events_) {
        call([&] { ::ModifyWaitEvent(set_, 2, static_cast<uint32>(events), nullptr); });
        events_ = events;
    }
}

int SocketWaiter::wait(int socket, int events, std::int64_t deadline_ms) {
    prepare(socket, events);
    long timeout = -1;
    if (deadline_ms != kNoDeadline) {
        timeout = static_cast<long>(std::max<std::int64_t>(0, deadline_ms - now_ms()));
    }
    ::WaitEvent event{};
    int ready =
        call([&] { return ::WaitEventSetWait(set_, timeout, &event, 1, PG_WAIT_EXTENSION); });
    if (ready == 0) {
        return 0;
    }
    if ((event.events & WL_POSTMASTER_DEATH) != 0 && survives_postmaster()) {
        throw Error(sqlstate::kNodeUnavailable, "this server has died");
    }
    if ((event.events & WL_LATCH_SET) != 0) {
        ::ResetLatch(MyLatch);
        check_interrupts();
        return 0;
    }
    return static_cast<int>(event.events);
}

}  // namespace herd::pg
