// Tables that share one key type and one shard map, so that equal keys are on one node.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ids.hpp"
#include "model/shard_map.hpp"

namespace herd {

// PostgreSQL's Oid, which the core can't name.
using ObjectId = std::uint32_t;
// PostgreSQL's AttrNumber.
using ColumnNumber = std::int16_t;

struct TableGroup {
    GroupId id;
    ObjectId key_type = 0;
    ObjectId key_collation = 0;
    ShardMap map;

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
