#include "catalog/store.hpp"

#include "pg/guard.hpp"
#include "pg/local_only.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "catalog/pg_inherits.h"
#include "utils/inval.h"
}

namespace herd::catalog {

namespace {

std::string number(std::int64_t value) {
    return std::to_string(value);
}

void write(const std::string& sql, const std::vector<pg::Field>& parameters) {
    pg::AsOwner owner;
    pg::query(sql, parameters);
}

std::string write_returning(const std::string& sql, const std::vector<pg::Field>& parameters) {
    pg::AsOwner owner;
    return *pg::query_value(sql, parameters);
}

// "{a,b,c}", as SQL reads an array.
template <typename List, typename ToText>
std::string array_text(const List& values, ToText&& to_text) {
    std::string text = "{";
    for (const auto& value : values) {
        text += (text.size() > 1 ? "," : "") + to_text(value);
    }
    return text + "}";
}

std::string float_text(double value) {
    char text[32];
    ::pg_snprintf(text, sizeof text, "%.17g", value);
    return text;
}

// Plans that took the table, or a partition, for a local one are made again, in every backend.
void forget_plans(Oid relation) {
    pg::call([&] {
        ::ListCell* cell = nullptr;
        foreach (cell, ::find_all_inheritors(relation, NoLock, nullptr)) {
            ::CacheInvalidateRelcacheByRelid(lfirst_oid(cell));
        }
    });
}

}  // namespace

GroupId create_group(Oid key_type, Oid key_collation, const std::vector<NodeId>& owners) {
    std::string group = write_returning(
        "INSERT INTO herd.table_group (group_id, key_type, key_collation) VALUES "
        "(nextval('herd.group_id_seq'), $1::oid, $2::oid) RETURNING group_id",
        {number(key_type), number(key_collation)});
    std::vector<HashRange> ranges = split_evenly(static_cast<int>(owners.size()));
    write(
        "INSERT INTO herd.shard (shard_id, group_id, hash_min, hash_max, node_id) "
        "SELECT nextval('herd.shard_id_seq'), $1::int4, lo, hi, node "
        "FROM unnest($2::int8[], $3::int8[], $4::int4[]) AS u(lo, hi, node)",
        {group, array_text(ranges, [](HashRange range) { return number(range.min); }),
         array_text(ranges, [](HashRange range) { return number(range.max); }),
         array_text(owners, [](NodeId node) { return number(node.value); })});
    GroupId id(std::stoi(group));
    note_owners(id);
    return id;
}

void note_owners(std::optional<GroupId> group) {
    pg::LocalOnly here;
    // Random, because a database that leaves a herd and joins again begins to count anew.
    write(
        "UPDATE herd.table_group g SET owners = nodes, owned_shards = counts, "
        "map_version = ('x' || replace(left(gen_random_uuid()::text, 18), '-', ''))::bit(64)::int8 "
        "FROM (SELECT group_id, array_agg(node_id ORDER BY node_id) AS nodes, "
        "             array_agg(shards ORDER BY node_id) AS counts "
        "      FROM (SELECT group_id, node_id, count(*)::int4 AS shards FROM herd.shard "
        "            WHERE group_id = $1::int4 OR $1 IS NULL GROUP BY group_id, node_id) o "
        "      GROUP BY group_id) o "
        "WHERE g.group_id = o.group_id",
        {group ? pg::Field(number(group->value)) : pg::Field()});
}

bool drop_group_if_unused(GroupId group) {
    pg::AsOwner owner;
    return pg::query_value(
               "DELETE FROM herd.table_group WHERE group_id = $1::int4 AND NOT EXISTS "
               "(SELECT 1 FROM herd.distributed_table WHERE group_id = $1::int4) "
               "RETURNING group_id",
               {number(group.value)})
        .has_value();
}

void add_distributed_table(Oid relation, std::int16_t key_attnum, GroupId group) {
    write(
        "INSERT INTO herd.distributed_table (relation, kind, key_attnum, group_id) "
        "VALUES ($1::oid, 'd', $2::int2, $3::int4)",
        {number(relation), number(key_attnum), number(group.value)});
    forget_plans(relation);
}

void add_reference_table(Oid relation) {
    write("INSERT INTO herd.distributed_table (relation, kind) VALUES ($1::oid, 'r')",
          {number(relation)});
    forget_plans(relation);
}

void drop_table(Oid relation) {
    write("DELETE FROM herd.distributed_table WHERE relation = $1::oid", {number(relation)});
}

void drop_pushable_function(Oid function) {
    write("DELETE FROM herd.pushable_function WHERE function = $1::oid", {number(function)});
}

void reassign_shards(GroupId group, NodeId from, const std::vector<NodeId>& owners) {
    write(
        "UPDATE herd.shard s SET node_id = n.node FROM "
        "(SELECT shard_id, ($3::int4[])[row_number() OVER (ORDER BY hash_min)] AS node "
        " FROM herd.shard WHERE group_id = $1::int4 AND node_id = $2::int4) n "
        "WHERE s.shard_id = n.shard_id",
        {number(group.value), number(from.value),
         array_text(owners, [](NodeId node) { return number(node.value); })});
    write("UPDATE herd.table_group SET epoch = epoch + 1 WHERE group_id = $1::int4",
          {number(group.value)});
    note_owners(group);
}

NodeId add_node(const HerdNode& node, const Server& server, const std::string& data_directory) {
    std::string id = write_returning(
        "INSERT INTO herd.node (node_id, name, takes_shards, weight, last_seen) VALUES "
        "(nextval('herd.node_id_seq'), $1, $2::bool, $3::float8, clock_timestamp()) "
        "RETURNING node_id",
        {node.name, node.takes_shards ? "t" : "f", float_text(node.weight)});
    write(
        "INSERT INTO herd.server (server_id, node_id, host, port, dbname, username, options, "
        "data_directory) VALUES (nextval('herd.server_id_seq'), $1::int4, $2, $3::int4, $4, $5, "
        "$6, "
        "nullif($7, ''))",
        {id, server.host, number(server.port), server.dbname, server.username, server.options,
         data_directory});
    return NodeId(std::stoi(id));
}

void change_node(NodeId node, std::optional<bool> takes_shards, std::optional<double> weight) {
    pg::Field takes = takes_shards ? pg::Field(*takes_shards ? "t" : "f") : pg::Field();
    write(
        "UPDATE herd.node SET takes_shards = coalesce($2::bool, takes_shards), "
        "weight = coalesce($3::float8, weight) WHERE node_id = $1::int4",
        {number(node.value), takes, weight ? pg::Field(float_text(*weight)) : pg::Field()});
}

void drop_node(NodeId node) {
    write("DELETE FROM herd.node WHERE node_id = $1::int4", {number(node.value)});
}

void record_event(const std::string& kind, const std::string& object, const std::string& detail) {
    write("INSERT INTO herd.event (kind, object, detail) VALUES ($1, $2, $3)",
          {kind, object, detail});
}

}  // namespace herd::catalog
