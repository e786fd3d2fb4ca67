// Waiting for one socket, this process's latch and the postmaster's death together.
#pragma once

#include <vector>

#include "pg/guard.hpp"

extern "C" {
#include "storage/latch.h"
}

namespace herd::pg {

// Milliseconds of a clock that never jumps.
std::int64_t now_ms();

constexpr std::int64_t kNoDeadline = 0;

// What a wait does when the postmaster is dead: the process ends here, except where interrupts are
// held. There a transaction may already be committed, and to end would be to abort it, which
// PostgreSQL answers with a PANIC: then it returns true, the wait is over, and the process ends at
// its next chance without another word to the client.
bool survives_postmaster();

// Waits for this process's latch, no longer than that, and services interrupts.
void nap(long milliseconds);

// Several sockets, for one wait of an event loop together with the latch and the postmaster's
// death. Made anew for each wait, so that no socket is in it that has been closed since.
class SocketSet {
public:
    explicit SocketSet(int most);
    ~SocketSet();
    SocketSet(const SocketSet&) = delete;
    SocketSet& operator=(const SocketSet&) = delete;

    // tag comes back from wait() when the socket is ready.
    void add(int socket, int events, void* tag);
    // The tags of the sockets that are ready; none when the latch was set (interrupts have then
    // been serviced) or the time is over. No time: looks only.
    std::vector<void*> wait(std::int64_t milliseconds);

private:
    ::WaitEventSet* set_;
};

// Keeps its epoll set as long as the socket stays the same, which saves three system calls a wait.
class SocketWaiter {
public:
    SocketWaiter() = default;
    ~SocketWaiter();
    SocketWaiter(const SocketWaiter&) = delete;
    SocketWaiter& operator=(const SocketWaiter&) = delete;

    // Returns once the socket is ready, or the latch was set (interrupts have then been serviced:
    // a cancel arrives as an Error), or the deadline is over. Events are WL_SOCKET_*. Throws
    // kNodeUnavailable when this server's postmaster has died while interrupts are held.
    // Returns the events seen; 0 means try again or deadline.
    int wait(int socket, int events, std::int64_t deadline_ms);

private:
    void prepare(int socket, int events);

    ::WaitEventSet* set_ = nullptr;
    int socket_ = -1;
    int events_ = 0;
};

}  // namespace herd::pg
