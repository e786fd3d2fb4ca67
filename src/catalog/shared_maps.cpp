#include "catalog/shared_maps.hpp"

#include <algorithm>

#include "pg/guard.hpp"
#include "pg/shared_memory.hpp"

extern "C" {
#include "storage/ipc.h"
#include "storage/spin.h"
}

namespace herd::catalog {

namespace {

constexpr std::int64_t kFewest = 512;
constexpr std::size_t kSmall = 8192;
constexpr std::size_t kLarge = 65'536;
constexpr int kSmallPlaces = 12;
constexpr int kPlaces = kSmallPlaces + 4;

struct Place {
    Oid database;
    std::int32_t group;
    std::int64_t version;
    std::size_t size;    // shards; 0: nothing, or not all of it yet
    int users;           // processes that look at it, or the one that fills it
    std::uint64_t last;  // when it was found last, by Shared::clock
};

struct Shared {
    ::slock_t lock;
    std::uint64_t clock;
    Place places[kPlaces];
};

Shared* shared = nullptr;

// How often this process looks at each.
int used_here[kPlaces];

std::size_t capacity(int place) {
    return place < kSmallPlaces ? kSmall : kLarge;
}

constexpr std::size_t bytes_of(std::size_t shards) {
    return shards * (sizeof(Shard) + sizeof(std::int64_t));
}

constexpr std::size_t kMapBytes =
    kSmallPlaces * bytes_of(kSmall) + (kPlaces - kSmallPlaces) * bytes_of(kLarge);

Shard* shards_at(int place) {
    std::size_t before = 0;
    for (int i = 0; i < place; ++i) {
        before += bytes_of(capacity(i));
    }
    return reinterpret_cast<Shard*>(reinterpret_cast<char*>(shared) + MAXALIGN(sizeof(Shared)) +
                                    before);
}

std::int64_t* starts_at(int place) {
    return reinterpret_cast<std::int64_t*>(shards_at(place) + capacity(place));
}

void initialize(void* memory) {
    SpinLockInit(&static_cast<Shared*>(memory)->lock);
}

// -1: none.
int place_of(GroupId group, std::int64_t version) {
    for (int i = 0; i < kPlaces; ++i) {
        const Place& place = shared->places[i];
        if (place.database == MyDatabaseId && place.group == group.value &&
            place.version == version) {
            return i;
        }
    }
    return -1;
}

// The smallest that is large enough and that nobody uses; of those, the one that has not been used
// for the longest time. -1: none.
int free_place(std::size_t size) {
    int best = -1;
    for (int i = 0; i < kPlaces; ++i) {
        bool fits = shared->places[i].users == 0 && capacity(i) >= size;
        if (fits && (best < 0 || (capacity(i) == capacity(best) &&
                                  shared->places[i].last < shared->places[best].last))) {
            best = i;
        }
    }
    return best;
}

void note_use(int place) {
    ++shared->places[place].users;
    ++used_here[place];
    shared->places[place].last = ++shared->clock;
}

void leave_all(int, Datum) {
    SpinLockAcquire(&shared->lock);
    for (int i = 0; i < kPlaces; ++i) {
        shared->places[i].users -= std::exchange(used_here[i], 0);
    }
    SpinLockRelease(&shared->lock);
}

void leave_at_exit() {
    static bool registered = false;
    if (!std::exchange(registered, true)) {
        pg::call([] { ::before_shmem_exit(leave_all, Datum{0}); });
    }
}

}  // namespace

void SharedPlace::leave() noexcept {
    if (place_ >= 0 && used_here[place_] > 0) {
        SpinLockAcquire(&shared->lock);
        --shared->places[place_].users;
        --used_here[place_];
        SpinLockRelease(&shared->lock);
    }
}

bool is_shared_size(std::int64_t shards) {
    return shared != nullptr && shards >= kFewest && static_cast<std::size_t>(shards) <= kLarge;
}

std::optional<SharedMap> find_shared_map(GroupId group, std::int64_t version, Epoch epoch) {
    leave_at_exit();
    SpinLockAcquire(&shared->lock);
    int place = place_of(group, version);
    std::size_t size = place < 0 ? 0 : shared->places[place].size;
    if (size > 0) {
        note_use(place);
    }
    SpinLockRelease(&shared->lock);
    if (size == 0) {
        return std::nullopt;
    }
    return SharedMap{SharedPlace(place),
                     ShardMap(ShardMap::Shards(shards_at(place), size), starts_at(place), epoch)};
}

void share_map(GroupId group, std::int64_t version, const ShardMap& map) {
    leave_at_exit();
    SpinLockAcquire(&shared->lock);
    int place = place_of(group, version) >= 0 ? -1 : free_place(map.size());
    if (place >= 0) {
        shared->places[place] = {MyDatabaseId, group.value, version, 0, 0, 0};
        note_use(place);
    }
    SpinLockRelease(&shared->lock);
    if (place < 0) {
        return;
    }
    SharedPlace filling(place);
    std::copy(map.shards().begin(), map.shards().end(), shards_at(place));
    std::copy(map.starts(), map.starts() + map.size(), starts_at(place));
    SpinLockAcquire(&shared->lock);
    shared->places[place].size = map.size();
    SpinLockRelease(&shared->lock);
}

void request_shared_maps() {
    pg::add_shared_part({"pg_herd shard maps", MAXALIGN(sizeof(Shared)) + kMapBytes, initialize,
                         reinterpret_cast<void**>(&shared), 0, kMapBytes});
}

}  // namespace herd::catalog
