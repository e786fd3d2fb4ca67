#include "routing/owners.hpp"

#include <algorithm>

namespace herd::routing {

namespace {

bool node_before(const OwnedHashes& group, NodeId node) {
    return group.node < node;
}

}  // namespace

std::vector<NodeId> owners(const ShardMap& map, const std::vector<std::int64_t>& hashes) {
    std::vector<NodeId> nodes;
    nodes.reserve(hashes.size());
    for (const std::int64_t hash : hashes) {
        nodes.push_back(map.owner(hash).node);
    }
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    return nodes;
}

std::optional<NodeId> single_owner(const ShardMap& map, const std::vector<std::int64_t>& hashes) {
    if (hashes.empty()) {
        return std::nullopt;
    }
    const NodeId first = map.owner(hashes.front()).node;
    const bool same = std::all_of(hashes.begin(), hashes.end(),
                                  [&](std::int64_t hash) { return map.owner(hash).node == first; });
    return same ? std::optional(first) : std::nullopt;
}

std::vector<OwnedHashes> group_by_owner(const ShardMap& map,
                                        const std::vector<std::int64_t>& hashes) {
    std::vector<OwnedHashes> groups;
    for (std::size_t position = 0; position < hashes.size(); ++position) {
        const NodeId node = map.owner(hashes[position]).node;
        auto group = std::lower_bound(groups.begin(), groups.end(), node, node_before);
        if (group == groups.end() || group->node != node) {
            group = groups.insert(group, OwnedHashes{node, {}});
        }
        group->positions.push_back(position);
    }
    return groups;
}

}  // namespace herd::routing
