#include "ddl/distribution_checks.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "ddl/catalog_query.hpp"
#include "pg/key_hash.hpp"

namespace herd::ddl {

namespace {

using catalog::Table;

struct Check {
    const catalog::Catalog& herd;
    const Table& table;
    SqlState state;
    std::string name;  // the table's, quoted and qualified
    std::string key;   // the key column's name
    std::string relid;

    [[nodiscard]] bool distributed() const { return table.kind == TableKind::kDistributed; }
    [[nodiscard]] std::string what() const {
        return std::string(distributed() ? "distributed" : "reference") + " table " + name;
    }
    [[nodiscard]] Error refuse(const std::string& message) const {
        Error error(state, message);
        error.schema_name(schema_name(table.relid)).table_name(relation_name(table.relid));
        return error;
    }
};

void check_persistence(const Check& check) {
    pg::Rows rows = catalog_query(
        "SELECT relpersistence, relkind FROM pg_class WHERE oid = $1::oid", {check.relid});
    if (rows.empty()) {
        return;
    }
    if (*rows[0][0] != "p") {
        throw check
            .refuse(check.what() + " can't be " + (*rows[0][0] == "u" ? "unlogged" : "temporary"))
            .hint("Moves between nodes read the log: keep the table LOGGED.");
    }
    if (*rows[0][1] != "r" && *rows[0][1] != "p") {
        throw check.refuse(check.name + " is no ordinary table")
            .hint("Only ordinary and partitioned tables can be distributed.");
    }
}

void check_key(const Check& check) {
    pg::Rows rows = catalog_query(
        "SELECT attisdropped, atttypid, attcollation FROM pg_attribute "
        "WHERE attrelid = $1::oid AND attnum = $2::int2",
        {check.relid, std::to_string(check.table.key_attnum)});
    if (rows.empty() || *rows[0][0] == "t") {
        throw check.refuse("the distribution key of " + check.what() + " can't be dropped")
            .hint("Make it an ordinary table first: SELECT herd.collect('" + check.name + "').");
    }
    const catalog::Group* group = check.table.group;
    if (group == nullptr) {
        return;
    }
    // Co-located keys may be of different types with one hash (int4 and int8, a domain and its
    // base).
    auto type = static_cast<Oid>(std::stoul(*rows[0][1]));
    bool same_place = pg::call([&] { return pg::same_hash(type, group->key_type); }) &&
                      *rows[0][2] == std::to_string(group->key_collation);
    if (!same_place) {
        throw check
            .refuse("the type of the distribution key of " + check.what() + " can't be changed")
            .detail("Rows lie where the hash of the key in its present type has put them.")
            .hint("SELECT herd.collect('" + check.name +
                  "'), change the column, and distribute it again.");
    }
}

// Equal values of a unique index must meet on one node.
void check_unique(const Check& check) {
    pg::Rows rows = catalog_query(
        "SELECT i.indexrelid::regclass, i.indisprimary FROM pg_index i"
        " LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype = 'x'"
        " WHERE i.indrelid = $1::oid AND (i.indisunique OR i.indisexclusion) AND NOT EXISTS ("
        "  SELECT FROM generate_series(0, i.indnkeyatts - 1) k WHERE i.indkey[k] = $2::int2"
        "   AND (NOT i.indisexclusion OR EXISTS (SELECT FROM pg_operator o"
        "        WHERE o.oid = c.conexclop[k + 1] AND o.oprname = '='))) ORDER BY 1::text",
        {check.relid, std::to_string(check.table.key_attnum)});
    if (!rows.empty()) {
        throw check
            .refuse("unique index " + *rows[0][0] + " on " + check.what() +
                    " lacks the distribution key \"" + check.key + "\"")
            .detail("Equal values could stand on two nodes, and no node would see both.")
            .hint("Add \"" + check.key + "\" to the " +
                  (*rows[0][1] == "t" ? "primary key" : "index or constraint") +
                  ", make the index not unique, or make the table a reference table.");
    }
}

std::string foreign_key_sql(const char* side) {
    return std::string(
               "SELECT c.conname, c.conrelid, c.confrelid, c.conrelid::regclass,"
               " c.confrelid::regclass, c.confdeltype, c.confupdtype,"
               " array_to_string(c.conkey, ','), array_to_string(c.confkey, ','),"
               " array_to_string(coalesce(nullif(c.confdelsetcols, '{}'), c.conkey), ',')"
               " FROM pg_constraint c WHERE c.contype = 'f' AND c.") +
           side + " = $1::oid ORDER BY c.conname";
}

std::vector<int> numbers(const std::string& list) {
    std::vector<int> found;
    for (std::size_t at = 0; at < list.size();) {
        std::size_t comma = std::min(list.find(',', at), list.size());
        found.push_back(std::stoi(list.substr(at, comma - at)));
        at = comma + 1;
    }
    return found;
}

// The table of that OID as it will be: the one being checked may not be in the catalogue yet.
const Table* other_table(const Check& check, const std::string& relid) {
    auto oid = static_cast<catalog::Oid>(std::stoul(relid));
    return oid == check.table.relid ? &check.table : check.herd.find(oid);
}

bool keys_meet(const Table& from, const Table& to, const pg::Row& row) {
    std::vector<int> own = numbers(*row[7]);
    std::vector<int> other = numbers(*row[8]);
    for (std::size_t i = 0; i < own.size() && i < other.size(); ++i) {
        if (own[i] == from.key_attnum && other[i] == to.key_attnum) {
            return true;
        }
    }
    return false;
}

// A node can check a foreign key when both rows lie on it.
void check_foreign_key(const Check& check, const pg::Row& row) {
    const Table* from = other_table(check, *row[1]);
    const Table* to = other_table(check, *row[2]);
    std::string key = "foreign key \"" + *row[0] + "\" from " + *row[3] + " to " + *row[4];
    bool to_reference = to != nullptr && to->kind == TableKind::kReference;
    if (to_reference) {
        return;
    }
    if (from == nullptr || to == nullptr || from->kind == TableKind::kReference) {
        const std::string& ordinary = *row[to == nullptr ? 4 : 3];
        throw check.refuse(key + " can't be checked by one node alone")
            .detail(to == nullptr ? ordinary + " has its rows on the coordinator only."
                                  : "The rows of " + *row[4] + " lie on several nodes.")
            .hint(to == nullptr ? "Make it a reference table first: SELECT herd.reference('" +
                                      ordinary + "')."
                                : "Distribute " + ordinary +
                                      " by the same key first (herd.distribute with "
                                      "colocate_with => '" +
                                      *row[4] + "'), and add the foreign key then.");
    }
    if (from->group != to->group || !keys_meet(*from, *to, row)) {
        throw check.refuse(key + " joins rows of different nodes")
            .detail(
                "The two tables must be co-located, and the foreign key must hold the distribution "
                "key of both.")
            .hint(
                "Distribute one with colocate_with => the other and add the key columns to the "
                "foreign "
                "key, or make " +
                *row[4] + " a reference table.");
    }
    std::vector<int> cleared = numbers(*row[9]);
    bool clears_key = std::find(cleared.begin(), cleared.end(), from->key_attnum) != cleared.end();
    if (clears_key && (*row[5] == "n" || *row[5] == "d")) {
        throw check.refuse(key + " would clear the distribution key ON DELETE")
            .hint("Name the columns to clear: ON DELETE SET NULL (column), without the key.");
    }
    if (*row[6] == "n" || *row[6] == "d") {
        throw check.refuse(key + " would clear the distribution key ON UPDATE")
            .hint("Leave ON UPDATE at NO ACTION: the key of a distributed table does not change.");
    }
}

void check_foreign_keys(const Check& check) {
    for (const char* side : {"conrelid", "confrelid"}) {
        for (const pg::Row& row : catalog_query(foreign_key_sql(side), {check.relid})) {
            check_foreign_key(check, row);
        }
    }
}

void check_rules(const Check& check) {
    pg::Rows rows =
        catalog_query("SELECT rulename FROM pg_rewrite WHERE ev_class = $1::oid AND ev_type <> '1'",
                      {check.relid});
    if (!rows.empty()) {
        throw check
            .refuse("rule \"" + *rows[0][0] + "\" on " + check.what() +
                    " would run on the coordinator and again on the node")
            .hint("Use a trigger instead of the rule.");
    }
}

void check_inheritance(const Check& check) {
    pg::Rows rows = catalog_query(
        "SELECT i.inhrelid::regclass, i.inhparent::regclass FROM pg_inherits i"
        " JOIN pg_class child ON child.oid = i.inhrelid AND NOT child.relispartition"
        " JOIN pg_class parent ON parent.oid = i.inhparent"
        " WHERE (i.inhrelid = $1::oid OR i.inhparent = $1::oid) AND child.relkind IN ('r', 'f')",
        {check.relid});
    if (!rows.empty()) {
        throw check
            .refuse(check.what() + " can't take part in inheritance: " + *rows[0][0] +
                    " inherits from " + *rows[0][1])
            .hint("Use declarative partitioning.");
    }
}

void check_triggers(const Check& check) {
    pg::Rows rows = catalog_query(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = $1::oid AND NOT tgisinternal"
        " AND (tgoldtable IS NOT NULL OR tgnewtable IS NOT NULL)",
        {check.relid});
    if (!rows.empty() && check.distributed()) {
        throw check
            .refuse("trigger \"" + *rows[0][0] + "\" on " + check.what() +
                    " would see only one node's part of its transition table")
            .hint("Use a FOR EACH ROW trigger.");
    }
}

}  // namespace

void check_servable(const catalog::Catalog& herd, const Table& table, SqlState state) {
    Check check{herd, table, state, qualified_name(table.relid), {}, std::to_string(table.relid)};
    check_persistence(check);
    if (check.distributed()) {
        check_key(check);
        check.key = *catalog_query(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::oid"
            " AND attnum = $2::int2",
            {check.relid, std::to_string(table.key_attnum)})[0][0];
        check_unique(check);
    }
    check_foreign_keys(check);
    check_rules(check);
    check_inheritance(check);
    check_triggers(check);
}

void check_ordinary(const catalog::Catalog& herd, unsigned int relid) {
    Table none;
    none.relid = relid;
    Check check{
        herd, none, sqlstate::kDdlRefused, qualified_name(relid), {}, std::to_string(relid)};
    for (const pg::Row& row : catalog_query(foreign_key_sql("conrelid"), {check.relid})) {
        const Table* to = herd.find(static_cast<catalog::Oid>(std::stoul(*row[2])));
        if (to != nullptr && to->kind == TableKind::kDistributed) {
            throw check
                .refuse("foreign key \"" + *row[0] +
                        "\" of an ordinary table to distributed table " + *row[4])
                .detail("The rows of " + *row[4] + " lie on several nodes, those of " + check.name +
                        " on the coordinator.")
                .hint(
                    "Create the table without it, distribute it (herd.distribute with "
                    "colocate_with => '" +
                    *row[4] + "'), and add the foreign key then.");
        }
    }
    pg::Rows parents = catalog_query(
        "SELECT inhparent, inhparent::regclass FROM pg_inherits i"
        " JOIN pg_class c ON c.oid = i.inhrelid AND NOT c.relispartition"
        " WHERE i.inhrelid = $1::oid",
        {check.relid});
    for (const pg::Row& row : parents) {
        if (herd.find(static_cast<catalog::Oid>(std::stoul(*row[0]))) != nullptr) {
            throw check
                .refuse(check.name + " can't inherit from " + *row[1] +
                        ", which is a table of the herd")
                .hint("Use declarative partitioning, or CREATE TABLE ... (LIKE ...).");
        }
    }
}

}  // namespace herd::ddl
