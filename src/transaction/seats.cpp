#include "transaction/seats.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "pg/counters.hpp"
#include "pg/waiter.hpp"
#include "transaction/connection_settings.hpp"
#include "transaction/seat_table.hpp"

extern "C" {
#include "storage/ipc.h"
#include "storage/procsignal.h"
}

namespace herd::transaction {

using namespace seats;

namespace {

// How long to wait for one session that was asked before another is asked, too.
constexpr std::int64_t kAskAgainMs = 50;

Session* mine = nullptr;
void (*give_up_hook)() noexcept = nullptr;

// This session's seats, so that none but itself has to look for them.
struct Seat {
    NodeId node;
    int place;
};
std::vector<Seat>& own_seats() {
    static auto& list = *new std::vector<Seat>;
    return list;
}

void wake(::Latch* latch) noexcept {
    if (latch != nullptr) {
        ::SetLatch(latch);
    }
}

// When a session ends, however it does.
void give_all_back(int, Datum) {
    if (mine == nullptr) {
        return;
    }
    for (int place = 0; place < kMostPlaces; ++place) {
        ::Latch* next = nullptr;
        {
            Locked locked;
            if (mine->waits && mine->place == place) {
                stop_waiting(*mine);
            }
            next = stand_up(*mine, place, max_connections_per_node());
        }
        wake(next);
    }
    {
        Locked locked;
        mine->pid = 0;
    }
    mine = nullptr;
    own_seats().clear();
}

void enter_hall() {
    if (mine != nullptr || table() == nullptr || MyBackendId <= 0 || MyBackendId > MaxBackends) {
        return;
    }
    pg::call([] { ::before_shmem_exit(give_all_back, Datum{0}); });
    Session* session = &table()->sessions()[MyBackendId - 1];
    Locked locked;
    std::memset(static_cast<void*>(session), 0, sizeof *session);
    session->pid = MyProcPid;
    session->backend = MyBackendId;
    session->latch = MyLatch;
    mine = session;
}

// Where this session waits; it goes out of the queue when this ends.
class Waiting {
public:
    Waiting() = default;
    ~Waiting() {
        ::Latch* next = nullptr;
        {
            Locked locked;
            if (mine->waits) {
                stop_waiting(*mine);
            } else if (mine->granted && !accepted_) {
                next = stand_up(*mine, mine->place, max_connections_per_node());
            }
            mine->granted = false;
        }
        wake(next);
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

    bool is_over(int most) {
        ::Latch* other = nullptr;
        {
            Locked locked;
            if (mine->waits) {
                other = grant(mine->place, most);  // the cap may be another one now
            }
            accepted_ = mine->granted;
        }
        if (other != MyLatch) {
            wake(other);
        }
        return accepted_;
    }

    // The session that has not worked for longest is asked for its idle link, then the next.
    void ask_somebody() {
        int pid = 0;
        ::BackendId backend = InvalidBackendId;
        {
            Locked locked;
            const Session* chosen = nullptr;
            for (int i = 0; i < MaxBackends; ++i) {
                Session& session = table()->sessions()[i];
                if (session.pid != 0 && &session != mine && !session.works &&
                    holds(session, mine->place) && session.idle_since > asked_until_ &&
                    (chosen == nullptr || session.idle_since < chosen->idle_since)) {
                    chosen = &session;
                }
            }
            asked_until_ = chosen == nullptr ? -1 : chosen->idle_since;
            if (chosen != nullptr) {
                pid = chosen->pid;
                backend = chosen->backend;
                wake_it_ = chosen->waits ? chosen->latch : nullptr;
            }
        }
        if (pid != 0) {
            // PostgreSQL's word for "take a turn, even if you are idle": an empty transaction,
            // at whose end the session sees that its link is wanted.
            ::SendProcSignal(pid, PROCSIG_CATCHUP_INTERRUPT, backend);
            wake(std::exchange(wake_it_, nullptr));
        }
    }

private:
    bool accepted_ = false;
    std::int64_t asked_until_ = -1;
    ::Latch* wake_it_ = nullptr;
};

[[noreturn]] void throw_no_seat(const std::string& node_name) {
    int taken = 0;
    int others = 0;
    std::int64_t now = pg::now_ms();
    std::int64_t longest = now;
    {
        Locked locked;
        const Place& place = table()->places[mine->place];
        taken = place.taken;
        for (int i = 0; i < MaxBackends; ++i) {
            const Session& session = table()->sessions()[i];
            if (&session != mine && session.waits && session.place == mine->place) {
                ++others;
                longest = std::min(longest, session.since);
            }
        }
    }
    std::string detail = "The sessions of this database have " + std::to_string(taken) +
                         " connections to it, and herd.max_connections_per_node is " +
                         std::to_string(max_connections_per_node()) + "; this session has waited " +
                         std::to_string(now - mine->since) + " ms";
    if (others > 0) {
        detail += ", " + std::to_string(others) + " more wait, for up to " +
                  std::to_string(now - longest) + " ms";
    }
    throw Error(sqlstate::kTooManyConnections, "too many connections to node \"" + node_name + "\"")
        .detail(detail + ".")
        .hint(
            "Raise herd.max_connections_per_node, and max_connections of the node, have fewer "
            "sessions at work at once (a pooler does that), or raise herd.connection_timeout.");
}

void wait_for_seat(const std::string& node_name) {
    pg::count(pg::Counter::kSeatWaits);
    Waiting waiting;
    std::int64_t deadline = pg::now_ms() + connection_timeout();
    while (!waiting.is_over(max_connections_per_node())) {
        std::int64_t left = deadline - pg::now_ms();
        if (left <= 0) {
            throw_no_seat(node_name);
        }
        if (give_up_hook != nullptr) {
            give_up_hook();
        }
        waiting.ask_somebody();
        pg::nap(static_cast<long>(std::min(left, kAskAgainMs)));
    }
}

}  // namespace

bool take_seat(NodeId node, const std::string& node_name, bool at_once) {
    enter_hall();
    if (mine == nullptr) {
        return false;
    }
    for (const Seat& seat : own_seats()) {
        if (seat.node == node) {
            return false;
        }
    }
    own_seats().reserve(own_seats().size() + 1);
    int most = max_connections_per_node();
    int place = -1;
    bool waits = false;
    std::int64_t now = most == 0 ? 0 : pg::now_ms();
    {
        Locked locked;
        place = find_or_add(node);
        if (place >= 0) {
            const Place& here = table()->places[place];
            waits = most != 0 && !at_once && (here.taken >= most || here.waiting > 0);
            if (!waits) {
                sit_down(*mine, place);
            } else {
                start_waiting(*mine, place, now);
            }
        }
    }
    if (waits) {
        wait_for_seat(node_name);
    }
    if (place >= 0) {
        own_seats().push_back({node, place});
    }
    return waits;
}

void give_seat_back(NodeId node) noexcept {
    auto& list = own_seats();
    auto seat = std::find_if(list.begin(), list.end(),
                             [&](const Seat& candidate) { return candidate.node == node; });
    if (mine == nullptr || seat == list.end()) {
        return;
    }
    ::Latch* next = nullptr;
    {
        Locked locked;
        next = stand_up(*mine, seat->place, max_connections_per_node());
    }
    list.erase(seat);
    wake(next);
}

bool is_seat_wanted(NodeId node) noexcept {
    if (mine == nullptr || ::pg_atomic_read_u32(&table()->waiting) == 0) {
        return false;
    }
    for (const Seat& seat : own_seats()) {
        if (seat.node == node) {
            Locked locked;
            const Session* first = first_in_queue(seat.place);
            return first != nullptr && (!mine->waits || first->ticket < mine->ticket);
        }
    }
    return false;
}

void show_work(bool works) noexcept {
    if (mine != nullptr && mine->works != works) {
        mine->idle_since = works ? 0 : pg::now_ms();
        mine->works = works;
    }
}

void leave_queue() noexcept {
    if (mine != nullptr) {
        mine->ticket = 0;
    }
}

void set_give_up_hook(void (*hook)() noexcept) {
    give_up_hook = hook;
}

void request_seats() {
    seats::request_table();
}

}  // namespace herd::transaction
