// Loads the compiled catalogue and keeps it fresh.
#include "catalog/herd_catalog.hpp"

#include <algorithm>
#include <memory>
#include <unordered_set>

#include "catalog/herd_relation.hpp"
#include "pg/catalog_scan.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_partitioned_table.h"
#include "utils/array.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/uuid.h"
}

namespace herd::catalog {

namespace {

// Process-wide state, leaked on purpose: no destructor may run at exit.
struct Cache {
    std::unique_ptr<Catalog> catalog;
    std::vector<std::unique_ptr<Catalog>> retired;  // still in use by this transaction
    Oid marker =
        InvalidOid;  // herd.distributed_table, whose invalidation stands for the catalogue's
    bool fresh = false;
    bool loading = false;
};

Cache& cache() {
    static auto& instance = *new Cache;
    return instance;
}

void load_cluster(Catalog& catalog) {
    pg::scan_table(herd_relation("cluster"), [&](const Datum* values, const bool*) {
        catalog.cluster_id =
            pg::call([&] { return DatumGetCString(DirectFunctionCall1(uuid_out, values[1])); });
        catalog.term = DatumGetInt64(values[2]);
        catalog.self = NodeId(DatumGetInt32(values[3]));
        catalog.secret = pg::text_of(values[4]);
    });
}

void load_nodes(Catalog& catalog) {
    pg::scan_table(herd_relation("node"), [&](const Datum* values, const bool*) {
        NodeEntry node;
        node.id = NodeId(DatumGetInt32(values[0]));
        node.name = pg::text_of(values[1]);
        node.takes_shards = DatumGetBool(values[2]);
        node.weight = DatumGetFloat8(values[3]);
        catalog.nodes.push_back(std::move(node));
    });
    std::sort(catalog.nodes.begin(), catalog.nodes.end(),
              [](const NodeEntry& a, const NodeEntry& b) { return a.id < b.id; });
    pg::scan_table(herd_relation("server"), [&](const Datum* values, const bool*) {
        if (pg::text_of(values[2]) != "primary") {
            return;
        }
        for (NodeEntry& node : catalog.nodes) {
            if (node.id == NodeId(DatumGetInt32(values[1]))) {
                Server& server = node.primary;
                server.id = ServerId(DatumGetInt32(values[0]));
                server.node = node.id;
                server.role = "primary";
                server.host = pg::text_of(values[3]);
                server.port = DatumGetInt32(values[4]);
                server.dbname = pg::text_of(values[5]);
                server.username = pg::text_of(values[6]);
                server.options = pg::text_of(values[7]);
            }
        }
    });
}

std::vector<std::int32_t> numbers_of(Datum array) {
    const ::ArrayType* numbers = pg::call([&] { return DatumGetArrayTypeP(array); });
    const auto* first = reinterpret_cast<const std::int32_t*>(ARR_DATA_PTR(numbers));
    return {first, first + ArrayGetNItems(ARR_NDIM(numbers), ARR_DIMS(numbers))};
}

// Of the catalogue that was in use before.
std::shared_ptr<const VersionedMap> known_map(GroupId id, std::int64_t version) {
    if (cache().retired.empty() || version == 0) {  // 0: not told yet
        return nullptr;
    }
    const auto& groups = cache().retired.back()->groups;
    auto found = groups.find(id.value);
    bool same = found != groups.end() && found->second.loaded_map != nullptr &&
                found->second.loaded_map->version == version;
    return same ? found->second.loaded_map : nullptr;
}

void load_groups(Catalog& catalog) {
    pg::scan_table(herd_relation("table_group"), [&](const Datum* values, const bool*) {
        Group group;
        group.id = GroupId(DatumGetInt32(values[0]));
        group.key_type = DatumGetObjectId(values[1]);
        group.key_collation = DatumGetObjectId(values[2]);
        group.epoch = Epoch(DatumGetInt64(values[3]));
        std::vector<std::int32_t> nodes = numbers_of(values[4]);
        std::vector<std::int32_t> counts = numbers_of(values[5]);
        for (std::size_t i = 0; i < std::min(nodes.size(), counts.size()); ++i) {
            group.owners.push_back({NodeId(nodes[i]), counts[i]});
        }
        group.map_version = DatumGetInt64(values[6]);
        group.all_here = group.owned_only_by(catalog.self);
        group.some_here = group.shards_of(catalog.self) > 0;
        group.loaded_map = known_map(group.id, group.map_version);
        catalog.groups.emplace(group.id.value, std::move(group));
    });
}

// The key's attribute number in a partition, whose columns may stand in another order.
std::int16_t key_in_partition(Oid root, std::int16_t key_attnum, Oid partition) {
    return pg::call([&]() -> std::int16_t {
        char* name = ::get_attname(root, key_attnum, true);
        return name == nullptr ? InvalidAttrNumber : ::get_attnum(partition, name);
    });
}

void add_partitions(Catalog& catalog, const Table& root) {
    ::List* partitions =
        pg::call([&] { return ::find_all_inheritors(root.relid, NoLock, nullptr); });
    for (int i = 0; i < ::list_length(partitions); ++i) {
        Oid relid = list_nth_oid(partitions, i);
        if (relid != root.relid) {
            Table table = root;
            table.relid = relid;
            table.root = root.relid;
            if (root.kind == TableKind::kDistributed) {
                table.key_attnum = key_in_partition(root.relid, root.key_attnum, relid);
            }
            catalog.tables[relid] = table;
        }
    }
}

void load_tables(Catalog& catalog, Oid marker) {
    std::vector<Table> roots;
    pg::scan_table(marker, [&](const Datum* values, const bool* nulls) {
        Table table;
        table.relid = DatumGetObjectId(values[0]);
        table.root = table.relid;
        table.kind =
            DatumGetChar(values[1]) == 'd' ? TableKind::kDistributed : TableKind::kReference;
        if (!nulls[2]) {
            table.key_attnum = DatumGetInt16(values[2]);
            table.group = &catalog.groups.at(DatumGetInt32(values[3]));
        }
        roots.push_back(table);
    });
    // Not asked of each table, which would fill the session's caches with all of them.
    std::unordered_set<Oid> partitioned;
    pg::scan_table(PartitionedRelationId, [&](const Datum* values, const bool*) {
        partitioned.insert(DatumGetObjectId(values[0]));
    });
    catalog.tables.reserve(roots.size());
    for (const Table& table : roots) {
        catalog.tables[table.relid] = table;
        if (partitioned.count(table.relid) != 0) {
            add_partitions(catalog, table);
        }
    }
}

std::unique_ptr<Catalog> load(Oid marker) {
    auto catalog = std::make_unique<Catalog>();
    load_cluster(*catalog);
    load_nodes(*catalog);
    load_groups(*catalog);
    load_tables(*catalog, marker);
    return catalog;
}

void retire() {
    if (cache().catalog) {
        cache().retired.push_back(std::move(cache().catalog));
    }
    cache().fresh = false;
}

// Runs at any moment, in the middle of anything: only sets a flag.
void on_relcache_invalidation(Datum, Oid relid) {
    const Cache& state = cache();
    if (relid == InvalidOid || relid == state.marker ||
        (state.catalog && state.catalog->find(relid) != nullptr)) {
        cache().fresh = false;
    }
}

void on_namespace_invalidation(Datum, int, uint32) {
    cache().fresh = false;
}

void on_transaction_end(::XactEvent event, void*) {
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) {
        cache().retired.clear();
    }
}

}  // namespace

const NodeEntry* Catalog::node(NodeId id) const noexcept {
    for (const NodeEntry& node : nodes) {
        if (node.id == id) {
            return &node;
        }
    }
    return nullptr;
}

const NodeEntry* Catalog::node(const std::string& name) const noexcept {
    for (const NodeEntry& node : nodes) {
        if (node.name == name) {
            return &node;
        }
    }
    return nullptr;
}

std::vector<NodeId> Catalog::other_nodes() const {
    std::vector<NodeId> others;
    for (const NodeEntry& node : nodes) {
        if (node.id != self) {
            others.push_back(node.id);
        }
    }
    return others;
}

const Catalog* current() {
    Cache& state = cache();
    if (state.fresh) {
        return state.catalog.get();
    }
    if (state.loading || !::IsTransactionState()) {
        return state.catalog.get();
    }
    retire();
    state.loading = true;
    struct Reset {
        ~Reset() { cache().loading = false; }
    } reset;
    // Whatever is invalidated while the copy is made makes it stale again.
    state.fresh = true;
    try {
        state.marker = herd_relation("distributed_table");
        // The last table that the install script makes stands for all: statements of the script
        // itself find no herd yet.
        if (OidIsValid(state.marker) && OidIsValid(herd_relation("shard"))) {
            state.catalog = load(state.marker);
            if (state.catalog->cluster_id.empty()) {
                state.catalog.reset();
                state.fresh = false;
            }
        }
    } catch (...) {
        state.fresh = false;
        throw;
    }
    return state.catalog.get();
}

void invalidate() {
    Cache& state = cache();
    const Catalog* catalog = current();
    pg::call([&] { ::CacheInvalidateRelcacheByRelid(state.marker); });
    if (catalog != nullptr) {
        for (const auto& [relid, table] : catalog->tables) {
            Oid changed = relid;
            pg::call([&] {
                if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(changed))) {
                    ::CacheInvalidateRelcacheByRelid(changed);
                }
            });
        }
    }
    state.fresh = false;
}

void invalidate(const std::vector<Oid>& tables) {
    (void)current();
    pg::call([&] {
        ::CacheInvalidateRelcacheByRelid(cache().marker);
        for (Oid table : tables) {
            if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(table))) {
                continue;
            }
            ::List* all = ::find_all_inheritors(table, NoLock, nullptr);
            for (int i = 0; i < ::list_length(all); ++i) {
                ::CacheInvalidateRelcacheByRelid(list_nth_oid(all, i));
            }
        }
    });
    cache().fresh = false;
}

void initialize() {
    ::CacheRegisterRelcacheCallback(on_relcache_invalidation, Datum{0});
    ::CacheRegisterSyscacheCallback(NAMESPACEOID, on_namespace_invalidation, Datum{0});
    ::RegisterXactCallback(on_transaction_end, nullptr);
}

}  // namespace herd::catalog
