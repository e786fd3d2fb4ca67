// Shard maps of many shards in shared memory: the first session that needs one reads it from the
// catalogue, and the others look at it, instead of reading and keeping it each for itself.
//
// A map is known by its database, group and version, which is never the same for two different
// sets of shards. There is room for a few; who finds none keeps its own.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "base/ids.hpp"
#include "model/shard_map.hpp"

namespace herd::catalog {

// While alive, a place in shared memory keeps its map.
class SharedPlace {
public:
    SharedPlace() = default;
    explicit SharedPlace(int place) : place_(place) {}
    ~SharedPlace() { leave(); }
    SharedPlace(SharedPlace&& other) noexcept : place_(std::exchange(other.place_, -1)) {}
    SharedPlace& operator=(SharedPlace&& other) noexcept {
        leave();
        place_ = std::exchange(other.place_, -1);
        return *this;
    }
    SharedPlace(const SharedPlace&) = delete;
    SharedPlace& operator=(const SharedPlace&) = delete;

private:
    void leave() noexcept;

    int place_ = -1;
};

// A look at a map in shared memory, and what keeps it there.
struct SharedMap {
    SharedPlace place;
    ShardMap map;
};

// Whether maps of so many shards are worth it.
bool is_shared_size(std::int64_t shards);

std::optional<SharedMap> find_shared_map(GroupId group, std::int64_t version, Epoch epoch);
// Copies the map there; afterwards it is found, unless there is no room.
void share_map(GroupId group, std::int64_t version, const ShardMap& map);

// From _PG_init.
void request_shared_maps();

}  // namespace herd::catalog
