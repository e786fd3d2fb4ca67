// The herd's catalogue as every backend sees it: a compiled, immutable copy, rebuilt on
// invalidation.
//
//   const Catalog* herd = catalog::current();   // nullptr: this database has no pg_herd
//   const Table* t = herd->find(relid);         // nullptr: a local table
//
// A Catalog stays valid until the end of the transaction in which it was handed out.
// current() and Group::map() may read tables, so they need a transaction; find() and the like never
// fail.
//
// A session reads the shards of the groups that it routes to, and of no others: what else is asked
// about them (who owns any, how many) each group's row has.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.hpp"
#include "catalog/shared_maps.hpp"
#include "model/node.hpp"
#include "model/shard_map.hpp"
#include "model/table_group.hpp"

namespace herd::catalog {

using Oid = unsigned int;

struct NodeEntry : HerdNode {
    Server primary;  // empty for this server itself
};

// A group's shards as they are in one version of its row.
struct VersionedMap {
    std::int64_t version;
    SharedPlace place;  // if the map looks at one in shared memory
    ShardMap map;
};

struct Group : TableGroup {
    bool all_here = false;   // this node owns every shard
    bool some_here = false;  // this node owns a shard
    // Never the same for two different sets of shards, not even after a rollback.
    std::int64_t map_version = 0;

    // Read at its first use. Errors: kMetadataDamaged.
    [[nodiscard]] const ShardMap& map() const;

    // Shared with the catalogue that this one replaces, which may be in use still.
    mutable std::shared_ptr<const VersionedMap> loaded_map;
};

struct Table {
    Oid relid = 0;
    Oid root = 0;  // the distributed table itself, or the root of a partition
    TableKind kind = TableKind::kDistributed;
    std::int16_t key_attnum = 0;  // in relid's own numbering
    const Group* group = nullptr;
};

class Catalog {
public:
    [[nodiscard]] const Table* find(Oid relid) const noexcept {
        auto found = tables.find(relid);
        return found == tables.end() ? nullptr : &found->second;
    }
    [[nodiscard]] const NodeEntry* node(NodeId id) const noexcept;
    [[nodiscard]] const NodeEntry* node(const std::string& name) const noexcept;
    [[nodiscard]] bool is_coordinator() const noexcept { return self == kCoordinator; }
    // Every node but this one, in the order of their ids.
    [[nodiscard]] std::vector<NodeId> other_nodes() const;

    std::string cluster_id;
    std::string secret;  // 32 bytes
    std::int64_t term = 0;
    NodeId self;
    std::vector<NodeEntry> nodes;
    std::unordered_map<std::int32_t, Group> groups;
    std::unordered_map<Oid, Table> tables;
};

// The catalogue of this database, or nullptr where the extension is not installed.
const Catalog* current();

// Call after writing to the herd's tables: every backend rebuilds its copy when this transaction
// commits (this one at the next command), and plans over the tables of all groups are made again.
void invalidate();
// The same where nothing has changed but what the tables named are: only their plans are made
// again.
void invalidate(const std::vector<Oid>& tables);

// Registers the invalidation callbacks; once per backend, from _PG_init.
void initialize();

}  // namespace herd::catalog
