#include "transaction/catalog_sync.hpp"

#include "pg/spi.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/internal.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/namespace.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
}

namespace herd::transaction {

namespace {

void lock_cluster(::LOCKMODE mode) {
    pg::call([&] {
        Oid relation = ::get_relname_relid("cluster", ::get_namespace_oid("herd", false));
        ::LockRelationOid(relation, mode);
    });
}

constexpr const char* kExport = R"(
    SELECT json_build_object(
        'nodes', (SELECT coalesce(json_agg(json_build_object('id', node_id, 'name', name,
                         'takes_shards', takes_shards, 'weight', weight) ORDER BY node_id), '[]')
                  FROM herd.node),
        'groups', (SELECT coalesce(json_agg(json_build_object('id', group_id,
                          'type', format_type(key_type, NULL),
                          'key_collation', nullif(key_collation, 0)::regcollation::text,
                          'epoch', epoch) ORDER BY group_id), '[]')
                   FROM herd.table_group),
        'tables', (SELECT coalesce(json_agg(json_build_object('relation', relation::text,
                          'kind', kind, 'group', group_id, 'key', attname)
                                           ORDER BY relation::text), '[]')
                   FROM herd.distributed_table
                   LEFT JOIN pg_attribute ON attrelid = relation AND attnum = key_attnum),
        'shards', (SELECT coalesce(json_agg(json_build_array(shard_id, group_id, hash_min, hash_max,
                          node_id) ORDER BY shard_id), '[]') FROM herd.shard))::text)";

// In the order that the foreign keys ask for. $1 is the whole catalogue.
constexpr const char* kImport[] = {
    "DELETE FROM herd.distributed_table WHERE $1 IS NOT NULL",
    "DELETE FROM herd.table_group WHERE $1 IS NOT NULL",
    "DELETE FROM herd.node WHERE $1 IS NOT NULL",
    R"(INSERT INTO herd.node (node_id, name, takes_shards, weight)
       SELECT id, name, takes_shards, weight
       FROM json_to_recordset($1::json->'nodes')
            AS x(id int4, name text, takes_shards bool, weight float8))",
    R"(INSERT INTO herd.table_group (group_id, key_type, key_collation, epoch)
       SELECT id, type::regtype, coalesce(key_collation::regcollation, 0), epoch
       FROM json_to_recordset($1::json->'groups')
            AS x(id int4, type text, key_collation text, epoch int8))",
    R"(INSERT INTO herd.distributed_table (relation, kind, key_attnum, group_id)
       SELECT relation::regclass, kind,
              (SELECT attnum FROM pg_attribute
               WHERE attrelid = relation::regclass AND attname = key AND NOT attisdropped), "group"
       FROM json_to_recordset($1::json->'tables')
            AS x(relation text, kind "char", "group" int4, key name))",
    R"(INSERT INTO herd.shard (shard_id, group_id, hash_min, hash_max, node_id)
       SELECT (s->>0)::int8, (s->>1)::int4, (s->>2)::int8, (s->>3)::int8, (s->>4)::int4
       FROM json_array_elements($1::json->'shards') AS s)"};

void check_tables_exist(const std::string& json) {
    pg::Field missing = pg::query_value(
        "SELECT string_agg(relation, ', ') FROM json_to_recordset($1::json->'tables') "
        "AS x(relation text) WHERE to_regclass(relation) IS NULL",
        {json});
    if (missing) {
        throw Error(sqlstate::kObjectNotInState, "this node has no table " + *missing)
            .detail("A distributed or reference table exists on every node, with one definition.")
            .hint(
                "Create it on this node as it is on the coordinator; SELECT * FROM herd.check() "
                "there names all differences.");
    }
}

}  // namespace

void lock_membership() {
    if (IsolationUsesXactSnapshot() && !is_internal_session()) {
        throw Error(
            sqlstate::kFeatureNotSupported,
            "the herd's tables and nodes can't change under a snapshot of the whole transaction")
            .detail("Rows that were committed since would be left behind.")
            .hint("SET TRANSACTION ISOLATION LEVEL READ COMMITTED first.");
    }
    lock_cluster(ShareRowExclusiveLock);
}

void lock_membership_shared() {
    lock_cluster(RowExclusiveLock);
}

std::string export_catalog() {
    pg::AsOwner owner;
    return *pg::query_value(export_query());
}

const char* export_query() {
    return kExport;
}

void import_catalog(const std::string& json) {
    {
        pg::AsOwner owner;
        lock_membership();
        check_tables_exist(json);
        for (const char* statement : kImport) {
            pg::query(statement, {json});
        }
    }
    catalog::invalidate();
}

void sync_catalog() {
    catalog::invalidate();
    std::vector<NodeId> nodes = require_herd().other_nodes();
    if (nodes.empty()) {
        return;
    }
    std::string json = export_catalog();
    const char* value = json.c_str();
    Statement statement;
    statement.text = "SELECT herd.import_catalog($1)";
    statement.parameters.count = 1;
    statement.parameters.values = &value;
    statement.writes = true;
    pg::AsOwner owner;
    open_links(nodes);
    for (NodeId node : nodes) {
        link_to(node).send(statement, nullptr);
    }
    for (NodeId node : nodes) {
        while (link_to(node).receive()) {
        }
    }
}

const catalog::Catalog& require_coordinator() {
    const catalog::Catalog& herd = require_herd();
    if (!herd.is_coordinator()) {
        throw Error(sqlstate::kObjectNotInState, "this server is a node of a herd")
            .hint("Run the function on the herd's coordinator.");
    }
    return herd;
}

}  // namespace herd::transaction
