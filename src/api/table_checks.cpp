#include "api/table_checks.hpp"

#include "api/table_refusal.hpp"
#include "pg/key_hash.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "executor/tuptable.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace herd::api {

namespace {

bool is_true(const pg::Field& field) {
    return field == pg::Field("t");
}

void check_kind(const TableFacts& table, const pg::Row& facts) {
    const std::string& kind = *facts[1];
    if (kind != "r" && kind != "p") {
        refuse(table, "It is a " + *facts[8] + ", not an ordinary or partitioned table.",
               kind == "f" ? "Copy its rows into an ordinary table and distribute that."
                           : "Distribute the tables it is made from.");
    }
    if (*facts[2] == "t") {
        refuse(table, "It is a temporary table, which only this session sees.",
               "Temporary tables stay local; CREATE TABLE makes one that can be distributed.");
    }
    if (*facts[2] == "u") {
        refuse(table, "It is unlogged: a node's crash would empty a part of it.",
               "ALTER TABLE " + table.name + " SET LOGGED first.");
    }
    if (is_true(facts[3])) {
        refuse(table, "It is a partition of " + facts[9].value_or("?") + ".",
               "Distribute " + facts[9].value_or("the partitioned table") +
                   "; its partitions follow, or DETACH the partition first.");
    }
}

void check_relations(const TableFacts& table, const pg::Row& facts) {
    if (is_true(facts[4])) {
        refuse(table, "It belongs to the system, the herd or an extension.",
               "Tables of an extension are on every node already.");
    }
    if (is_true(facts[5])) {
        refuse(table, "It has inheritance parents or children.",
               "Turn the hierarchy into declarative partitioning (PARTITION BY) first.");
    }
    if (is_true(facts[6])) {
        refuse(table, "It has rewrite rules, which would run on every node.",
               "Drop the rules; a trigger does the same.");
    }
    if (is_true(facts[7])) {
        refuse(table, "It has a partition that is a foreign, unlogged or temporary table.",
               "DETACH that partition first.");
    }
}

pg::Row table_facts(Oid relation) {
    pg::Rows rows =
        ask("SELECT oid::regclass, relkind, relpersistence, relispartition, "
            "relnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, "
            "'pg_toast'::regnamespace, 'herd'::regnamespace) OR EXISTS (SELECT 1 FROM pg_depend "
            "WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e'), "
            "NOT relispartition AND EXISTS (SELECT 1 FROM pg_inherits WHERE inhrelid = c.oid) OR "
            "relkind <> 'p' AND EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = c.oid), "
            "EXISTS (SELECT 1 FROM pg_rewrite WHERE ev_class = c.oid AND ev_type <> '1'), "
            "EXISTS (SELECT 1 FROM " HERD_TREE
            " JOIN pg_class p ON p.oid = tree.relid "
            "WHERE p.oid <> c.oid AND (p.relkind NOT IN ('r', 'p') OR p.relpersistence <> 'p')), "
            "CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN "
            "'foreign table' WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index' ELSE 'relation' END, "
            "CASE WHEN relispartition THEN pg_partition_root(oid)::text END "
            "FROM pg_class c WHERE oid = $1::oid",
            {id(relation)});
    if (rows.empty()) {
        throw Error(SqlState("42P01"), "relation with OID " + id(relation) + " does not exist");
    }
    return rows[0];
}

// The caller's lock keeps writers out; the scan stops at the first row.
bool has_rows(Oid relation) {
    return pg::call([&] {
        ::Relation table = ::table_open(relation, NoLock);
        bool found = false;
        if (RELKIND_HAS_STORAGE(table->rd_rel->relkind)) {
            ::TupleTableSlot* slot = ::table_slot_create(table, nullptr);
            ::Snapshot snapshot = ::RegisterSnapshot(::GetLatestSnapshot());
            ::TableScanDesc scan = ::table_beginscan(table, snapshot, 0, nullptr);
            found = ::table_scan_getnextslot(scan, ForwardScanDirection, slot);
            ::table_endscan(scan);
            ::UnregisterSnapshot(snapshot);
            ::ExecDropSingleTupleTableSlot(slot);
        }
        ::table_close(table, NoLock);
        return found;
    });
}

// Locks the partitions too.
bool tree_has_rows(Oid root) {
    ::List* tree =
        pg::call([&] { return ::find_all_inheritors(root, AccessExclusiveLock, nullptr); });
    bool found = false;
    for (int i = 0; i < ::list_length(tree) && !found; ++i) {
        found = has_rows(list_nth_oid(tree, i));
    }
    return found;
}

}  // namespace

TableFacts open_table(Oid relation) {
    pg::call([&] { ::LockRelationOid(relation, AccessExclusiveLock); });
    pg::Row facts = table_facts(relation);
    TableFacts table{relation, *facts[0], false};
    pg::call([&] {
        if (!::pg_class_ownercheck(relation, ::GetUserId())) {
            ::aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, table.name.c_str());
        }
    });
    check_kind(table, facts);
    check_relations(table, facts);
    table.has_rows = tree_has_rows(relation);
    return table;
}

KeyColumn key_column(const TableFacts& table, const std::string& name) {
    pg::Rows rows =
        ask("SELECT attnum, atttypid, attcollation, attgenerated <> '', format_type(atttypid, "
            "atttypmod) "
            "FROM pg_attribute WHERE attrelid = $1::oid AND attname = $2 AND attnum > 0 "
            "AND NOT attisdropped",
            {id(table.relation), name});
    if (rows.empty()) {
        throw Error(SqlState("42703"),
                    "column \"" + name + "\" of table " + table.name + " does not exist")
            .hint("The key is one of the table's own columns, written as in the catalogue.");
    }
    const pg::Row& row = rows[0];
    KeyColumn key;
    key.name = name;
    key.number = static_cast<std::int16_t>(std::stoi(*row[0]));
    key.type = static_cast<Oid>(std::stoul(*row[1]));
    key.collation = static_cast<Oid>(std::stoul(*row[2]));
    if (is_true(row[3])) {
        refuse(
            table, "Column \"" + name + "\" is generated: it is known only where the row is.",
            "Distribute by one of the columns it is computed from, or make it an ordinary column.");
    }
    switch (pg::call([&] { return pg::key_fitness(key.type); })) {
        case pg::KeyFitness::kNoHash:
            refuse(table,
                   "Column \"" + name + "\" has type " + *row[4] + ", which has no hash function.",
                   "Distribute by a column of another type, or add one with the value as text.");
        case pg::KeyFitness::kHashesOid:
            refuse(table,
                   "Column \"" + name + "\" has type " + *row[4] +
                       ", whose hash differs from server to server.",
                   "ALTER TABLE " + table.name + " ALTER COLUMN " + pg::quote_identifier(name) +
                       " TYPE text first, or distribute by another column.");
        case pg::KeyFitness::kFit:
            break;
    }
    key.type = pg::call([&] { return ::getBaseType(key.type); });
    return key;
}

void check_unique_constraints(const Candidate& candidate) {
    // The key must stand in the index as a column compared by equality.
    pg::Rows rows = ask(
        "SELECT coalesce(conname, relname), relname, contype FROM " HERD_TREE
        " JOIN pg_attribute a ON a.attrelid = tree.relid AND attname = $2 "
        "JOIN pg_index i ON indrelid = tree.relid AND (indisunique OR indisexclusion) "
        "JOIN pg_class ON pg_class.oid = indexrelid "
        "LEFT JOIN pg_constraint c ON conindid = indexrelid AND contype IN ('p', 'u', 'x') "
        "WHERE NOT EXISTS (SELECT 1 FROM generate_series(0, indnkeyatts - 1) AS p "
        "WHERE indkey[p] = attnum AND (conexclop IS NULL OR EXISTS (SELECT 1 FROM pg_amop WHERE "
        "amopopr = conexclop[p + 1] AND amopmethod = (SELECT oid FROM pg_am WHERE amname = "
        "'hash')))) "
        "ORDER BY tree.relid = $1::oid DESC, 1",
        {id(candidate.table.relation), candidate.key.name});
    if (rows.empty()) {
        return;
    }
    const pg::Row& row = rows[0];
    std::string kind = !row[2]          ? "unique index"
                       : *row[2] == "p" ? "primary key"
                       : *row[2] == "u" ? "unique constraint"
                                        : "exclusion constraint";
    std::string column = pg::quote_identifier(candidate.key.name);
    refuse(candidate.table,
           "Its " + kind + " \"" + *row[0] + "\" does not contain the key column \"" +
               candidate.key.name + "\": no node could check it alone.",
           "Make " + column + " a part of the " + kind +
               ", or distribute by one of its columns, or " +
               (row[2] ? "ALTER TABLE ... DROP CONSTRAINT " : "DROP INDEX ") +
               pg::quote_identifier(*row[0]) + ".");
}

}  // namespace herd::api
