#include "transaction/catalog_sync.hpp"

#include <optional>
#include <utility>

#include "catalog/store.hpp"
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

// $NODES, $GROUPS and $TABLES are conditions.
constexpr const char* kExport = R"(
    SELECT json_build_object(
        'nodes', (SELECT coalesce(json_agg(json_build_object('id', node_id, 'name', name,
                         'takes_shards', takes_shards, 'weight', weight) ORDER BY node_id), '[]')
                  FROM herd.node WHERE $NODES),
        'groups', (SELECT coalesce(json_agg(json_build_object('id', group_id,
                          'type', format_type(key_type, NULL),
                          'key_collation', nullif(key_collation, 0)::regcollation::text,
                          'epoch', epoch) ORDER BY group_id), '[]')
                   FROM herd.table_group WHERE $GROUPS),
        'tables', (SELECT coalesce(json_agg(json_build_object('relation', relation::text,
                          'kind', kind, 'group', group_id, 'key', attname)
                                           ORDER BY relation::text), '[]')
                   FROM herd.distributed_table
                   LEFT JOIN pg_attribute ON attrelid = relation AND attnum = key_attnum
                   WHERE $TABLES),
        'shards', (SELECT coalesce(json_agg(json_build_array(shard_id, group_id, hash_min, hash_max,
                          node_id) ORDER BY shard_id), '[]') FROM herd.shard WHERE $GROUPS),
        'change', $CHANGE)::text)";

// What a change is about by the names that other servers know: $1 and $2 are tables and groups.
constexpr const char* kChange =
    "(SELECT json_build_object('tables', array(SELECT t::regclass::text FROM unnest($1::oid[]) t), "
    "'groups', $2::int4[]))";

// In the order that the foreign keys ask for, as everything else of an import. $1 is the JSON text.
constexpr const char* kForgetAll[] = {"DELETE FROM herd.distributed_table WHERE $1 IS NOT NULL",
                                      "DELETE FROM herd.table_group WHERE $1 IS NOT NULL",
                                      "DELETE FROM herd.node WHERE $1 IS NOT NULL"};
constexpr const char* kForgetChanged[] = {
    R"(DELETE FROM herd.distributed_table WHERE relation IN (SELECT to_regclass(name)
       FROM json_array_elements_text($1::json->'change'->'tables') name))",
    R"(DELETE FROM herd.table_group WHERE group_id IN (SELECT number::int4
       FROM json_array_elements_text($1::json->'change'->'groups') number))"};
constexpr const char* kImport[] = {
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

std::string filled_in(std::string text, const std::string& place, const std::string& with) {
    for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at)) {
        text.replace(at, place.size(), with);
        at += with.size();
    }
    return text;
}

std::string export_text(const std::string& nodes, const std::string& groups,
                        const std::string& tables, const std::string& change) {
    std::string text = filled_in(kExport, "$NODES", nodes);
    text = filled_in(std::move(text), "$GROUPS", groups);
    text = filled_in(std::move(text), "$TABLES", tables);
    return filled_in(std::move(text), "$CHANGE", change);
}

std::string export_change(const CatalogChange& change) {
    std::string tables = "{";
    for (catalog::Oid table : change.tables) {
        tables += (tables.size() > 1 ? "," : "") + std::to_string(table);
    }
    std::string groups = "{";
    for (GroupId group : change.groups) {
        groups += (groups.size() > 1 ? "," : "") + std::to_string(group.value);
    }
    pg::AsOwner owner;
    return *pg::query_value(
        export_text("false", "group_id = ANY ($2::int4[])", "relation = ANY ($1::oid[])", kChange),
        {tables + "}", groups + "}"});
}

// The tables that the change is about, as this server knows them; nothing: all of them.
std::optional<std::vector<catalog::Oid>> changed_tables(const std::string& json) {
    if (!pg::query_value("SELECT nullif($1::json->>'change', '')", {json})) {
        return std::nullopt;
    }
    std::vector<catalog::Oid> tables;
    for (const pg::Row& row :
         pg::query("SELECT to_regclass(name)::oid FROM "
                   "json_array_elements_text($1::json->'change'->'tables') name "
                   "WHERE to_regclass(name) IS NOT NULL",
                   {json})) {
        tables.push_back(static_cast<catalog::Oid>(std::stoul(*row[0])));
    }
    return tables;
}

template <std::size_t Count>
void run_each(const char* const (&statements)[Count], const std::string& json) {
    for (const char* statement : statements) {
        pg::query(statement, {json});
    }
}

void note_changed_owners(const std::string& json) {
    for (const pg::Row& row :
         pg::query("SELECT json_array_elements_text($1::json->'change'->'groups')", {json})) {
        catalog::note_owners(GroupId(std::stoi(*row[0])));
    }
}

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

std::string export_query() {
    return export_text("true", "true", "true", "NULL");
}

std::string export_catalog() {
    pg::AsOwner owner;
    return *pg::query_value(export_query());
}

void import_catalog(const std::string& json) {
    std::optional<std::vector<catalog::Oid>> changed;
    {
        pg::AsOwner owner;
        lock_membership();
        check_tables_exist(json);
        changed = changed_tables(json);
        if (changed) {
            run_each(kForgetChanged, json);
        } else {
            run_each(kForgetAll, json);
        }
        run_each(kImport, json);
        if (changed) {
            note_changed_owners(json);
        } else {
            catalog::note_owners();
        }
    }
    if (changed) {
        catalog::invalidate(*changed);
    } else {
        catalog::invalidate();
    }
}

namespace {

void send_catalog(const std::vector<NodeId>& nodes, const std::string& json) {
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

}  // namespace

void sync_catalog() {
    catalog::invalidate();
    std::vector<NodeId> nodes = require_herd().other_nodes();
    if (!nodes.empty()) {
        send_catalog(nodes, export_catalog());
    }
}

void sync_catalog(const CatalogChange& change) {
    catalog::invalidate(change.tables);
    std::vector<NodeId> nodes = require_herd().other_nodes();
    if (!nodes.empty()) {
        send_catalog(nodes, export_change(change));
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
