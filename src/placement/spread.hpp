// Where the shards of a new table group go.
#pragma once

#include <vector>

#include "base/ids.hpp"
#include "model/node.hpp"

namespace herd::placement {

struct NodeWeight {
    NodeId node;
    double weight = 1;
};

// The nodes that take shards, with their weights.
[[nodiscard]] std::vector<NodeWeight> weights_of(const std::vector<HerdNode>& nodes);

// The node of each shard, in the order of their ranges. A node's number of shards is its exact
// share by weight, rounded up or down (largest remainder first, then the lower node id). Its shards
// are one run, which makes one range. The order in which the nodes are given is of no account.
// Throws kObjectNotInState when there is no node, kInvalidParameter for a weight that is not a
// finite number above 0, a node given twice or a shard count below 1.
[[nodiscard]] std::vector<NodeId> spread(int shard_count, std::vector<NodeWeight> nodes);

}  // namespace herd::placement
