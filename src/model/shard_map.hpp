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
    // Takes the shards in any order. Throws kMetadataDamaged, naming the place, when they leave a
    // gap, overlap, or use one id twice.
    explicit ShardMap(std::vector<Shard> shards, Epoch epoch = Epoch{0});

    [[nodiscard]] Epoch epoch() const { return epoch_; }
    [[nodiscard]] std::size_t size() const { return shards_.size(); }
    // In ascending order of their ranges.
    [[nodiscard]] const std::vector<Shard>& shards() const { return shards_; }

    // The position in shards() of the shard that the hash belongs to: a binary search.
    [[nodiscard]] std::size_t index_of(std::int64_t hash) const;
    [[nodiscard]] const Shard& owner(std::int64_t hash) const { return shards_[index_of(hash)]; }

    // The nodes that own a shard, each once, in ascending order.
    [[nodiscard]] const std::vector<NodeId>& nodes() const { return nodes_; }
    // What the node owns, as the fewest ranges: neighbouring shards are joined.
    [[nodiscard]] std::vector<HashRange> ranges_of(NodeId node) const;

private:
    std::vector<Shard> shards_;
    // The shards' first hashes, side by side: the search touches these only.
    std::vector<std::int64_t> starts_;
    std::vector<NodeId> nodes_;
    Epoch epoch_;
};

}  // namespace herd
