// Which node owns which part of a table group's hash space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/ids.hpp"
#include "model/hash_range.hpp"

namespace herd {

struct Shard {
    ShardId id;
    HashRange range;
    NodeId node;
};

// An immutable value. Its ranges tile the hash space, so that every hash has exactly one owner.
class ShardMap {
public:
    // A look at shards that lie side by side.
    class Shards {
    public:
        Shards(const Shard* begin, std::size_t size) : begin_(begin), size_(size) {}
        [[nodiscard]] const Shard* begin() const { return begin_; }
        [[nodiscard]] const Shard* end() const { return begin_ + size_; }
        [[nodiscard]] std::size_t size() const { return size_; }
        const Shard& operator[](std::size_t position) const { return begin_[position]; }

    private:
        const Shard* begin_;
        std::size_t size_;
    };

    // Takes the shards in any order. Throws kMetadataDamaged, naming the place, when they leave a
    // gap, overlap, or use one id twice.
    explicit ShardMap(std::vector<Shard> shards, Epoch epoch = Epoch{0});
    // Looks at the shards and the starts of another map, which must live longer.
    ShardMap(Shards shards, const std::int64_t* starts, Epoch epoch)
        : shards_(shards), starts_(starts), epoch_(epoch) {}
    ShardMap(ShardMap&&) = default;
    ShardMap& operator=(ShardMap&&) = default;
    ShardMap(const ShardMap&) = delete;
    ShardMap& operator=(const ShardMap&) = delete;
    ~ShardMap() = default;

    [[nodiscard]] Epoch epoch() const { return epoch_; }
    [[nodiscard]] std::size_t size() const { return shards_.size(); }
    // In ascending order of their ranges.
    [[nodiscard]] Shards shards() const { return shards_; }
    // Their first hashes, side by side: the search touches these only.
    [[nodiscard]] const std::int64_t* starts() const { return starts_; }

    // The position in shards() of the shard that the hash belongs to: a binary search.
    [[nodiscard]] std::size_t index_of(std::int64_t hash) const;
    [[nodiscard]] const Shard& owner(std::int64_t hash) const { return shards_[index_of(hash)]; }

    // The nodes that own a shard, each once, in ascending order.
    [[nodiscard]] std::vector<NodeId> nodes() const;
    // What the node owns, as the fewest ranges: neighbouring shards are joined.
    [[nodiscard]] std::vector<HashRange> ranges_of(NodeId node) const;

private:
    // Empty in a map that looks at another's. Moving a vector leaves its elements where they are.
    std::vector<Shard> own_shards_;
    std::vector<std::int64_t> own_starts_;
    Shards shards_;
    const std::int64_t* starts_;
    Epoch epoch_;
};

}  // namespace herd
