#include "placement/spread.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>

#include "base/error.hpp"

namespace herd::placement {

namespace {

void check_arguments(int shard_count, const std::vector<NodeWeight>& nodes) {
    if (shard_count < 1) {
        throw Error(sqlstate::kInvalidParameter,
                    "invalid number of shards: " + std::to_string(shard_count));
    }
    if (nodes.empty()) {
        Error error(sqlstate::kObjectNotInState, "no node takes shards");
        error.hint("Let a node take shards with herd.set_node(name, takes_shards => true).");
        throw error;
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const std::string name = "node " + std::to_string(nodes[i].node.value);
        if (!std::isfinite(nodes[i].weight) || nodes[i].weight <= 0) {
            throw Error(sqlstate::kInvalidParameter,
                        "invalid weight of " + name + ": " + std::to_string(nodes[i].weight));
        }
        if (i > 0 && nodes[i].node == nodes[i - 1].node) {
            throw Error(sqlstate::kInvalidParameter, name + " is given twice");
        }
    }
}

// The exact share of each node, a fraction of a shard included.
std::vector<double> quotas(int shard_count, const std::vector<NodeWeight>& nodes) {
    // Scaled by the largest weight, so that the sum of huge weights stays finite.
    double largest = 0;
    for (const NodeWeight& node : nodes) {
        largest = std::max(largest, node.weight);
    }
    std::vector<double> result;
    for (const NodeWeight& node : nodes) {
        result.push_back(node.weight / largest);
    }
    const double total = std::accumulate(result.begin(), result.end(), 0.0);
    for (double& quota : result) {
        quota = quota * shard_count / total;
    }
    return result;
}

// Whole shards per node: the quotas rounded down, the rest to those that lost most by it.
std::vector<int> apportion(int shard_count, const std::vector<double>& quotas) {
    std::vector<int> counts;
    int left = shard_count;
    for (const double quota : quotas) {
        counts.push_back(static_cast<int>(quota));
        left -= counts.back();
    }
    std::vector<std::size_t> by_remainder(quotas.size());
    std::iota(by_remainder.begin(), by_remainder.end(), std::size_t{0});
    std::stable_sort(by_remainder.begin(), by_remainder.end(), [&](std::size_t a, std::size_t b) {
        return quotas[a] - counts[a] > quotas[b] - counts[b];
    });
    for (std::size_t i = 0; left > 0; ++i, --left) {
        ++counts[by_remainder[i]];
    }
    return counts;
}

}  // namespace

std::vector<NodeWeight> weights_of(const std::vector<HerdNode>& nodes) {
    std::vector<NodeWeight> weights;
    for (const HerdNode& node : nodes) {
        if (node.takes_shards) {
            weights.push_back({node.id, node.weight});
        }
    }
    return weights;
}

std::vector<NodeId> spread(int shard_count, std::vector<NodeWeight> nodes) {
    std::sort(nodes.begin(), nodes.end(),
              [](const NodeWeight& a, const NodeWeight& b) { return a.node < b.node; });
    check_arguments(shard_count, nodes);
    const std::vector<int> counts = apportion(shard_count, quotas(shard_count, nodes));
    std::vector<NodeId> owners;
    owners.reserve(static_cast<std::size_t>(shard_count));
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        owners.insert(owners.end(), static_cast<std::size_t>(counts[i]), nodes[i].node);
    }
    return owners;
}

}  // namespace herd::placement
