// Tables that share one key type and one shard map, so that equal keys are on one node.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

#include "base/ids.hpp"

namespace herd {

// PostgreSQL's Oid, which the core can't name.
using ObjectId = std::uint32_t;
// PostgreSQL's AttrNumber.
using ColumnNumber = std::int16_t;

// How many of a group's shards a node owns: at least one.
struct OwnedShards {
    NodeId node;
    std::int32_t count = 0;
};

struct TableGroup {
    GroupId id;
    ObjectId key_type = 0;
    ObjectId key_collation = 0;
    Epoch epoch;
    // What most questions about the group's shards need, however many these are. In ascending
    // order of the nodes.
    std::vector<OwnedShards> owners;

    [[nodiscard]] std::int32_t shards_of(NodeId node) const {
        const auto owner = std::find_if(owners.begin(), owners.end(),
                                        [&](const OwnedShards& o) { return o.node == node; });
        return owner == owners.end() ? 0 : owner->count;
    }
    [[nodiscard]] std::int32_t shards() const {
        return std::accumulate(owners.begin(), owners.end(), 0,
                               [](int sum, const OwnedShards& o) { return sum + o.count; });
    }
    [[nodiscard]] bool owned_only_by(NodeId node) const {
        return owners.size() == 1 && owners.front().node == node;
    }

    // May a table with a key of this type and collation be co-located with the group's tables?
    [[nodiscard]] bool accepts_key(ObjectId type, ObjectId collation) const {
        return key_type == type && key_collation == collation;
    }
};

// The letters are those of herd.distributed_table.kind.
enum class TableKind : char { kDistributed = 'd', kReference = 'r' };

struct DistributedTable {
    // Key and group of a distributed table; a reference table has neither.
    struct Placement {
        ColumnNumber key_column = 0;
        GroupId group;
    };

    ObjectId relation = 0;
    std::optional<Placement> placement;

    [[nodiscard]] TableKind kind() const {
        return placement ? TableKind::kDistributed : TableKind::kReference;
    }
};

}  // namespace herd
