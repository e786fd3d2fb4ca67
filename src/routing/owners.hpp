// From the hashes of distribution keys to the nodes that own them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.hpp"
#include "model/shard_map.hpp"

namespace herd::routing {

// The nodes that own at least one of the hashes, each once, in ascending order.
[[nodiscard]] std::vector<NodeId> owners(const ShardMap& map,
                                         const std::vector<std::int64_t>& hashes);

// The node that owns all of the hashes; nothing when there are several, or no hash at all.
[[nodiscard]] std::optional<NodeId> single_owner(const ShardMap& map,
                                                 const std::vector<std::int64_t>& hashes);

// The hashes of one node, as positions in the input, in ascending order.
struct OwnedHashes {
    NodeId node;
    std::vector<std::size_t> positions;
};

// Every position appears once; the groups are in ascending order of their nodes.
[[nodiscard]] std::vector<OwnedHashes> group_by_owner(const ShardMap& map,
                                                      const std::vector<std::int64_t>& hashes);

}  // namespace herd::routing
