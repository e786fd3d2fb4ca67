// The shards of a group: from shared memory, or read from the catalogue.
#include "catalog/herd_catalog.hpp"
#include "catalog/herd_relation.hpp"
#include "pg/catalog_scan.hpp"

namespace herd::catalog {

namespace {

// All its rows, and the version that they belong to, as they are at one moment.
VersionedMap read_map(GroupId id) {
    std::vector<Shard> shards;
    std::int64_t version = 0;
    Epoch epoch;
    pg::ScanKey key;
    key.value = id.value;
    key.column = 1;
    // Unlike the latest snapshot, one of catalogues can be had in a parallel worker, too.
    key.snapshot = pg::call([] { return ::RegisterSnapshot(::GetCatalogSnapshot(InvalidOid)); });
    key.index = herd_relation("table_group_pkey");
    pg::scan_table(
        herd_relation("table_group"),
        [&](const Datum* values, const bool*) {
            epoch = Epoch(DatumGetInt64(values[3]));
            version = DatumGetInt64(values[6]);
        },
        key);
    key.index = herd_relation("shard_by_group");
    key.column = 2;
    pg::scan_table(
        herd_relation("shard"),
        [&](const Datum* values, const bool*) {
            shards.push_back(Shard{ShardId(DatumGetInt64(values[0])),
                                   HashRange{DatumGetInt64(values[2]), DatumGetInt64(values[3])},
                                   NodeId(DatumGetInt32(values[4]))});
        },
        key);
    pg::call([&] { ::UnregisterSnapshot(key.snapshot); });
    return VersionedMap{version, {}, ShardMap(std::move(shards), epoch)};
}

std::optional<VersionedMap> look_at_shared(const Group& group) {
    std::optional<SharedMap> found = find_shared_map(group.id, group.map_version, group.epoch);
    if (!found) {
        return std::nullopt;
    }
    return VersionedMap{group.map_version, std::move(found->place), std::move(found->map)};
}

VersionedMap load_map(const Group& group) {
    if (group.map_version == 0 || !is_shared_size(group.shards())) {
        return read_map(group.id);
    }
    std::optional<VersionedMap> shared = look_at_shared(group);
    if (shared) {
        return std::move(*shared);
    }
    VersionedMap read = read_map(group.id);
    // Rows that have changed since are for those who know of it.
    if (read.version == group.map_version) {
        share_map(group.id, read.version, read.map);
        shared = look_at_shared(group);
    }
    return shared ? std::move(*shared) : std::move(read);
}

}  // namespace

const ShardMap& Group::map() const {
    if (loaded_map == nullptr) {
        loaded_map = std::make_shared<const VersionedMap>(load_map(*this));
    }
    return loaded_map->map;
}

}  // namespace herd::catalog
