#include "transaction/seat_table.hpp"

#include "pg/shared_memory.hpp"

namespace herd::transaction::seats {

namespace {

constexpr int kWord = 64;

Table* shared = nullptr;

std::uint64_t bit_of(int place) {
    return std::uint64_t{1} << (place % kWord);
}

void initialize(void* memory) {
    auto* made = static_cast<Table*>(memory);
    SpinLockInit(&made->lock);
    ::pg_atomic_init_u32(&made->waiting, 0);
}

}  // namespace

Table* table() {
    return shared;
}

int find_or_add(NodeId node) {
    int free = -1;
    for (int i = 0; i < kMostPlaces; ++i) {
        const Place& place = shared->places[i];
        if (place.database == MyDatabaseId && place.node == node.value) {
            return i;
        }
        if (free < 0 && place.taken == 0 && place.waiting == 0) {
            free = i;
        }
    }
    if (free >= 0) {
        shared->places[free] = {MyDatabaseId, node.value, 0, 0};
    }
    return free;
}

bool holds(const Session& session, int place) {
    return (session.held[place / kWord] & bit_of(place)) != 0;
}

void sit_down(Session& session, int place) {
    ++shared->places[place].taken;
    session.held[place / kWord] |= bit_of(place);
}

::Latch* stand_up(Session& session, int place, int most) {
    if (!holds(session, place)) {
        return nullptr;
    }
    --shared->places[place].taken;
    session.held[place / kWord] &= ~bit_of(place);
    return grant(place, most);
}

void start_waiting(Session& session, int place, std::int64_t now) {
    session.place = place;
    session.waits = true;
    session.since = now;
    if (session.ticket == 0) {
        session.ticket = ++shared->tickets;
    }
    ++shared->places[place].waiting;
    ::pg_atomic_fetch_add_u32(&shared->waiting, 1);
}

void stop_waiting(Session& session) {
    session.waits = false;
    --shared->places[session.place].waiting;
    ::pg_atomic_fetch_sub_u32(&shared->waiting, 1);
}

Session* first_in_queue(int place) {
    Session* first = nullptr;
    for (int i = 0; i < MaxBackends; ++i) {
        Session& session = shared->sessions()[i];
        if (session.waits && session.place == place &&
            (first == nullptr || session.ticket < first->ticket)) {
            first = &session;
        }
    }
    return first;
}

::Latch* grant(int place, int most) {
    const Place& here = shared->places[place];
    if (here.waiting == 0 || (most != 0 && here.taken >= most)) {
        return nullptr;
    }
    Session* next = first_in_queue(place);
    if (next == nullptr) {
        return nullptr;
    }
    stop_waiting(*next);
    sit_down(*next, place);
    next->granted = true;
    return next->latch;
}

void request_table() {
    pg::add_shared_part({"pg_herd seats", sizeof(Table), initialize,
                         reinterpret_cast<void**>(&shared), sizeof(Session)});
}

}  // namespace herd::transaction::seats
