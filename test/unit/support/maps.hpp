// Shard maps for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "model/shard_map.hpp"

namespace herd::test {

// Equal ranges, owned by the nodes in turn.
inline ShardMap even_map(int shards, const std::vector<std::int32_t>& nodes) {
    std::vector<Shard> result;
    for (const HashRange range : split_evenly(shards)) {
        const std::size_t i = result.size();
        result.push_back(
            {ShardId{static_cast<std::int64_t>(i) + 1}, range, NodeId{nodes[i % nodes.size()]}});
    }
    return ShardMap(std::move(result));
}

// One to forty shards with random boundaries on one to five nodes.
inline ShardMap random_map(std::mt19937_64& random) {
    std::set<std::int64_t> starts{kHashMin};
    const std::size_t wanted = 1 + random() % 40;
    while (starts.size() < wanted) {
        starts.insert(static_cast<std::int64_t>(random()));
    }
    const std::uint64_t nodes = 1 + random() % 5;
    std::vector<Shard> shards;
    for (const std::int64_t start : starts) {
        if (!shards.empty()) {
            shards.back().range.max = start - 1;
        }
        const NodeId node{static_cast<std::int32_t>(1 + random() % nodes)};
        shards.push_back(
            {ShardId{static_cast<std::int64_t>(shards.size())}, {start, kHashMax}, node});
    }
    return ShardMap(std::move(shards));
}

}  // namespace herd::test
