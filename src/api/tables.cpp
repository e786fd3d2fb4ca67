// SQL functions that change what kind of table a table is.
#include <algorithm>

#include "api/arguments.hpp"
#include "api/node_join.hpp"
#include "api/table_checks.hpp"
#include "catalog/store.hpp"
#include "pg/key_hash.hpp"
#include "pg/spi.hpp"
#include "placement/spread.hpp"
#include "transaction/catalog_sync.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/session.hpp"
#include "transaction/table_rows.hpp"

extern "C" {
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
}

namespace herd::api {

namespace {

using transaction::require_coordinator;

constexpr int kMostShards = 65536;

std::string name_of(Oid relation) {
    pg::AsOwner owner;
    return pg::query_value("SELECT $1::oid::regclass::text", {std::to_string(relation)})
        .value_or("?");
}

void require_local(Oid relation) {
    const catalog::Table* table = require_coordinator().find(relation);
    if (table == nullptr) {
        return;
    }
    bool distributed = table->kind == TableKind::kDistributed;
    throw Error(sqlstate::kNotDistributable, "table " + name_of(relation) + " is a " +
                                                 (distributed ? "distributed" : "reference") +
                                                 " table already")
        .hint("SELECT herd.collect('" + name_of(table->root) +
              "') makes it an ordinary table again.");
}

Candidate candidate_of(Oid relation, const std::string& key) {
    require_local(relation);
    Candidate candidate;
    candidate.table = open_table(relation);
    candidate.key = key_column(candidate.table, key);
    check_unique_constraints(candidate);
    return candidate;
}

bool same_placement(Oid type, Oid collation, const KeyColumn& key) {
    return collation == key.collation && pg::call([&] { return pg::same_hash(type, key.type); });
}

[[noreturn]] void refuse_key_type(const Candidate& candidate, const std::string& other, Oid type,
                                  Oid collation) {
    pg::AsOwner owner;
    pg::Rows names = pg::query(
        "SELECT format_type($1::oid, NULL), format_type($2::oid, NULL), nullif($3::oid, "
        "0)::regcollation",
        {std::to_string(candidate.key.type), std::to_string(type), std::to_string(collation)});
    bool types = !pg::call([&] { return pg::same_hash(type, candidate.key.type); });
    throw Error(sqlstate::kNotDistributable,
                "table " + candidate.table.name + " can't be co-located with " + other)
        .detail(types ? "Its key \"" + candidate.key.name + "\" has type " + *names[0][0] +
                            ", the group's key type is " + *names[0][1] + "."
                      : "Its key \"" + candidate.key.name +
                            "\" has another collation than the group's.")
        .hint("ALTER TABLE " + candidate.table.name + " ALTER COLUMN " +
              pg::quote_identifier(candidate.key.name) + " TYPE " + *names[0][1] +
              (collation != 0 ? " COLLATE " + names[0][2].value_or("\"default\"") : "") +
              " first.");
}

// The table itself and the local tables that its incoming foreign keys bring along.
std::vector<Candidate> gather(Oid relation, const std::string& key) {
    std::vector<Candidate> together = {candidate_of(relation, key)};
    for (std::size_t next = 0; next < together.size(); ++next) {
        for (const Follower& follower : followers_of(together[next])) {
            auto known = std::find_if(
                together.begin(), together.end(),
                [&](const Candidate& other) { return other.table.relation == follower.relation; });
            if (known == together.end()) {
                together.push_back(candidate_of(follower.relation, follower.key));
                known = together.end() - 1;
            }
            const KeyColumn& root = together.front().key;
            if (!same_placement(root.type, root.collation, known->key)) {
                refuse_key_type(*known, together.front().table.name, root.type, root.collation);
            }
        }
    }
    return together;
}

const catalog::Group& group_to_join(Oid relation, const std::vector<Candidate>& together) {
    const catalog::Table* other = require_coordinator().find(relation);
    if (other == nullptr || other->kind != TableKind::kDistributed) {
        throw Error(sqlstate::kNotDistributable,
                    "table " + name_of(relation) + " is not distributed")
            .detail("colocate_with names a distributed table, whose shards the new one shares.")
            .hint("SELECT herd.distribute('" + name_of(relation) + "', key) first.");
    }
    const catalog::Group& group = *other->group;
    const Candidate& first = together.front();
    if (!same_placement(group.key_type, group.key_collation, first.key)) {
        refuse_key_type(first, name_of(relation), group.key_type, group.key_collation);
    }
    for (const Candidate& candidate : together) {
        if (candidate.table.has_rows && !group.all_here) {
            throw Error(
                sqlstate::kNotDistributable,
                "table " + candidate.table.name + " has rows, and the group's shards are spread")
                .detail(
                    "Rows stay on the coordinator when a table is distributed, but nodes own "
                    "shards "
                    "of " +
                    name_of(relation) + "'s group.")
                .hint(
                    "Create an empty table like it, distribute that, then INSERT INTO ... SELECT "
                    "or "
                    "COPY the rows into it.");
        }
    }
    return group;
}

// Where the shards of a new group go: everywhere for empty tables, else where the rows are.
std::vector<NodeId> owners_of_new(const std::vector<Candidate>& together, int shard_count) {
    bool has_rows = std::any_of(together.begin(), together.end(), [](const Candidate& candidate) {
        return candidate.table.has_rows;
    });
    if (has_rows) {
        return std::vector<NodeId>(static_cast<std::size_t>(shard_count), kCoordinator);
    }
    std::vector<HerdNode> nodes;
    for (const catalog::NodeEntry& node : require_coordinator().nodes) {
        nodes.push_back(node);
    }
    return placement::spread(shard_count, placement::weights_of(nodes));
}

// Scripts run again, and name tables that have followed another's foreign key already. What the
// call leaves out is as it is, and shard_count says only how many shards a new group begins with.
// True when the table is distributed as asked. Errors: kNotDistributable when it is in another way.
bool is_distributed_so(Oid relation, const std::string& key, std::optional<Oid> colocate_with) {
    const catalog::Catalog& herd = require_coordinator();
    const catalog::Table* table = herd.find(relation);
    if (table == nullptr || table->root != relation || table->kind != TableKind::kDistributed) {
        return false;
    }
    std::string own_key = pg::call([&] {
        return static_cast<const char*>(::get_attname(relation, table->key_attnum, false));
    });
    const catalog::Table* other = colocate_with ? herd.find(*colocate_with) : table;
    bool same_group = other != nullptr && other->group == table->group;
    if (own_key == key && same_group) {
        return true;
    }
    throw Error(sqlstate::kNotDistributable,
                "table " + name_of(relation) + " is a distributed table already")
        .detail(own_key != key ? "Its key is \"" + own_key + "\"."
                               : "It is not co-located with " + name_of(*colocate_with) + ".")
        .hint("SELECT herd.collect('" + name_of(relation) + "') makes it an ordinary table again.");
}

void distribute(Oid relation, const std::string& key, std::optional<Oid> colocate_with,
                int shard_count) {
    transaction::lock_membership();
    if (is_distributed_so(relation, key, colocate_with)) {
        report_step("table " + name_of(relation) + " is distributed so already");
        return;
    }
    std::vector<Candidate> together = gather(relation, key);
    std::optional<GroupId> group;
    if (colocate_with) {
        group = group_to_join(*colocate_with, together).id;
    }
    for (const Candidate& candidate : together) {
        check_foreign_keys(candidate, together, group);
    }
    const KeyColumn& root = together.front().key;
    transaction::CatalogChange change;
    if (!group) {
        group =
            catalog::create_group(root.type, root.collation, owners_of_new(together, shard_count));
        change.groups.push_back(*group);
    }
    for (const Candidate& candidate : together) {
        catalog::add_distributed_table(candidate.table.relation, candidate.key.number, *group);
        change.tables.push_back(candidate.table.relation);
        catalog::record_event("table_distributed", candidate.table.name, candidate.key.name);
        if (candidate.table.relation != relation) {
            report_step("table " + candidate.table.name + " is distributed too, by \"" +
                        candidate.key.name + "\": foreign keys tie it to " +
                        together.front().table.name);
        }
    }
    transaction::sync_catalog(change);
}

void make_reference(Oid relation) {
    transaction::lock_membership();
    const catalog::Table* known = require_coordinator().find(relation);
    if (known != nullptr && known->kind == TableKind::kReference) {
        report_step("table " + name_of(relation) + " is a reference table already");
        return;
    }
    require_local(relation);
    TableFacts table = open_table(relation);
    check_reference_foreign_keys(table);
    catalog::add_reference_table(relation);
    catalog::record_event("table_reference", table.name, "");
    transaction::sync_catalog({{relation}, {}});
    if (table.has_rows) {
        transaction::send_rows(relation, require_coordinator().other_nodes());
    }
}

void require_unreferenced(Oid relation, const std::string& name) {
    pg::AsOwner owner;
    pg::Field other = pg::query_value(
        "SELECT c.conrelid::regclass || ' (' || conname || ')' FROM pg_constraint c "
        "JOIN herd.distributed_table d ON d.relation = coalesce(pg_partition_root(c.conrelid), "
        "c.conrelid) "
        "WHERE contype = 'f' AND confrelid = $1::oid AND conrelid <> confrelid LIMIT 1",
        {std::to_string(relation)});
    if (other) {
        throw Error(sqlstate::kNotDistributable,
                    "table " + name + " can't become an ordinary table")
            .detail("Rows on the nodes reference it: " + *other + ".")
            .hint("Drop that foreign key, or collect that table first.");
    }
}

void collect_one(const catalog::Table& table, const std::string& name) {
    Oid relation = table.relid;
    std::vector<NodeId> nodes = require_coordinator().other_nodes();
    if (table.kind == TableKind::kReference) {
        require_unreferenced(relation, name);
        pg::AsOwner owner;
        transaction::run_on(nodes, "SET LOCAL session_replication_role = replica");
        transaction::run_on(nodes, "DELETE FROM " + name);
        transaction::run_on(nodes, "SET LOCAL session_replication_role = origin");
        return;
    }
    std::uint64_t rows = 0;
    for (NodeId node : nodes) {
        rows += transaction::fetch_rows(relation, node);
    }
    if (rows > 0) {
        report_step("fetched " + std::to_string(rows) + " rows of " + name + " from the nodes");
    }
}

void check_collectable(Oid relation) {
    pg::call([&] {
        ::LockRelationOid(relation, AccessExclusiveLock);
        if (!::pg_class_ownercheck(relation, ::GetUserId())) {
            ::aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, ::get_rel_name(relation));
        }
    });
    const catalog::Table* table = require_coordinator().find(relation);
    if (table == nullptr) {
        throw Error(sqlstate::kObjectNotInState,
                    "table " + name_of(relation) + " is an ordinary table")
            .hint("SELECT * FROM herd.tables lists distributed and reference tables.");
    }
    if (table->root != relation) {
        throw Error(sqlstate::kNotDistributable, "table " + name_of(relation) + " is a partition")
            .hint("Collect its root, " + name_of(table->root) + ".");
    }
}

void collect(Oid relation) {
    transaction::lock_membership();
    check_collectable(relation);
    std::vector<Oid> together = {relation};
    if (require_coordinator().find(relation)->kind == TableKind::kDistributed) {
        together = tied_tables(relation);
    }
    std::vector<GroupId> groups;
    for (Oid each : together) {
        check_collectable(each);
        const catalog::Table table = *require_coordinator().find(each);
        std::string name = name_of(each);
        if (table.group != nullptr) {
            groups.push_back(table.group->id);
        }
        collect_one(table, name);
        if (each != relation) {
            report_step("table " + name + " is collected too: a foreign key ties it to " +
                        name_of(relation));
        }
    }
    for (Oid each : together) {
        catalog::record_event("table_collected", name_of(each), "");
        catalog::drop_table(each);
    }
    transaction::CatalogChange change{together, {}};
    for (GroupId group : groups) {
        if (catalog::drop_group_if_unused(group)) {
            change.groups.push_back(group);
        }
    }
    transaction::sync_catalog(change);
}

// The shard of a key given as text.
const Shard& shard_of(Oid relation, const std::optional<std::string>& text) {
    const catalog::Table* table = transaction::require_herd().find(relation);
    if (table == nullptr || table->kind != TableKind::kDistributed) {
        throw Error(sqlstate::kObjectNotInState,
                    "table " + name_of(relation) + " is not distributed");
    }
    std::int64_t hash = pg::call([&] {
        Oid type = InvalidOid;
        int32 modifier = -1;
        Oid collation = InvalidOid;
        ::get_atttypetypmodcoll(relation, table->key_attnum, &type, &modifier, &collation);
        if (!text) {
            return pg::kHashOfNull;
        }
        Oid input = InvalidOid;
        Oid parameter = InvalidOid;
        ::getTypeInputInfo(type, &input, &parameter);
        std::string& unguarded = const_cast<std::string&>(*text);
        Datum value = ::OidInputFunctionCall(input, unguarded.data(), parameter, modifier);
        return pg::hash_key(pg::key_hasher(type, collation), value, false);
    });
    return table->group->map().owner(hash);
}

}  // namespace

}  // namespace herd::api

HERD_SQL_FUNCTION(herd_distribute) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3)) {
        throw herd::Error(herd::sqlstate::kInvalidParameter,
                          "table, key and shard_count of herd.distribute can't be NULL");
    }
    int shard_count = PG_GETARG_INT32(3);
    if (shard_count < 1 || shard_count > herd::api::kMostShards) {
        throw herd::Error(herd::sqlstate::kInvalidParameter,
                          "invalid shard_count: " + std::to_string(shard_count))
            .hint("It is a number from 1 to 65536; 64 serves up to a few dozen nodes.");
    }
    std::optional<Oid> colocate_with;
    if (!PG_ARGISNULL(2)) {
        colocate_with = PG_GETARG_OID(2);
    }
    herd::api::distribute(PG_GETARG_OID(0), herd::api::text_argument(fcinfo, 1), colocate_with,
                          shard_count);
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(herd_reference) {
    herd::api::make_reference(PG_GETARG_OID(0));
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(herd_collect) {
    herd::api::collect(PG_GETARG_OID(0));
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(herd_shard_of) {
    if (PG_ARGISNULL(0)) {
        PG_RETURN_NULL();
    }
    PG_RETURN_INT64(
        herd::api::shard_of(PG_GETARG_OID(0), herd::api::optional_text(fcinfo, 1)).id.value);
}

HERD_SQL_FUNCTION(herd_node_of) {
    if (PG_ARGISNULL(0)) {
        PG_RETURN_NULL();
    }
    const herd::Shard& shard =
        herd::api::shard_of(PG_GETARG_OID(0), herd::api::optional_text(fcinfo, 1));
    const std::string& name = herd::transaction::require_herd().node(shard.node)->name;
    return herd::pg::call([&] { return CStringGetTextDatum(name.c_str()); });
}
