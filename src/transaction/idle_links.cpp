#include "transaction/idle_links.hpp"

#include <algorithm>
#include <limits>

#include "pg/counters.hpp"
#include "transaction/connection_settings.hpp"
#include "transaction/seats.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "access/xact.h"
#include "storage/ipc.h"
#include "storage/sinval.h"
#include "utils/timeout.h"
}

namespace herd::transaction {

namespace {

::TimeoutId timer = MAX_TIMEOUTS;
std::int64_t timer_due = 0;

// In a signal handler. PostgreSQL offers extensions no interrupt of their own; this one has an idle
// session run an empty transaction, and links are closed at the end of any.
void on_timer() {
    ::catchupInterruptPending = 1;
    ::SetLatch(MyLatch);
}

// One timer for all links, which may ring too early, so that a transaction mostly finds it set.
void set_timer(std::int64_t due, std::int64_t now) {
    if (timer == MAX_TIMEOUTS) {
        timer = ::RegisterTimeout(USER_TIMEOUT, on_timer);
    }
    if (!::get_timeout_active(timer) || due < timer_due) {
        constexpr std::int64_t kMost = std::numeric_limits<int>::max();
        ::enable_timeout_after(timer,
                               static_cast<int>(std::clamp<std::int64_t>(due - now, 1, kMost)));
        timer_due = due;
    }
}

void give_up_wanted() noexcept {
    for (const auto& entry : session_links()) {
        if (is_seat_wanted(entry.first)) {
            entry.second->give_up();
        }
    }
}

// Of links that nobody has used for too long, and of those that others want.
void close_idle() {
    std::int64_t now = pg::now_ms();
    std::int64_t limit = idle_connection_timeout();
    std::int64_t first = 0;  // to become too old
    for (const auto& entry : session_links()) {
        Link& link = *entry.second;
        std::int64_t since = link.idle_since(now);
        if (limit > 0 && link.is_idle() && now - since >= limit) {
            pg::count(pg::Counter::kIdleClosed);
            link.give_up();
        } else if (link.is_open()) {
            first = first == 0 ? since : std::min(first, since);
        }
    }
    if (limit > 0 && first != 0) {
        set_timer(first + limit, now);
    }
}

void on_transaction(::XactEvent event, void*) {
    if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE) {
        return;
    }
    if (session_links().empty() || proc_exit_inprogress) {
        return;
    }
    pg::enter_noexcept("idle connections", [] {
        leave_queue();
        give_up_wanted();
        close_idle();
        show_work(false);
    });
}

}  // namespace

void initialize_idle_links() {
    ::RegisterXactCallback(on_transaction, nullptr);
    set_give_up_hook(give_up_wanted);
}

}  // namespace herd::transaction
