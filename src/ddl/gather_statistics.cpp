#include "ddl/gather_statistics.hpp"

#include <algorithm>

#include "ddl/catalog_query.hpp"
#include "transaction/session.hpp"

namespace herd::ddl {

namespace {

// $1: the table, $2: the column, then what kNodeColumns returns. PostgreSQL 15 to 17 have these
// columns in this order.
constexpr const char* kInsert = R"(
    INSERT INTO pg_catalog.pg_statistic
    SELECT a.attrelid, a.attnum, $3::bool, $4::real, $5::integer, $6::real,
           $7::smallint, $8::smallint, $9::smallint, 0, 0, $10::oid, $11::oid, $12::oid, 0, 0,
           $13::oid, $14::oid, $15::oid, 0, 0, $16::real[], $17::real[], $18::real[], NULL, NULL,
           array_in(textout($19::text), a.atttypid, -1),
           array_in(textout($20::text), a.atttypid, -1),
           array_in(textout($21::text), a.atttypid, -1), NULL, NULL
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::oid AND a.attname = $2)";

// One slot of pg_statistic: common values, histogram and correlation, whose operators have the same
// numbers on every server; another kind of slot counts as empty.
std::string slot(const std::string& column, int number) {
    std::string n = std::to_string(number);
    return "CASE WHEN s.stakind" + n + " IN (1, 2, 3) THEN s." + column + n + " END";
}

std::string node_columns(const std::string& table) {
    std::string sql = "SELECT a.attname, s.stainherit, s.stanullfrac, s.stawidth, s.stadistinct";
    for (const char* column : {"stakind", "staop", "stacoll"}) {
        for (int i = 1; i <= 3; ++i) {
            sql += ", coalesce(" + slot(column, i) + ", 0)";
        }
    }
    for (const char* column : {"stanumbers", "stavalues"}) {
        for (int i = 1; i <= 3; ++i) {
            sql += ", " + slot(column, i) + "::text";
        }
    }
    return sql +
           " FROM pg_catalog.pg_statistic s JOIN pg_catalog.pg_attribute a"
           " ON a.attrelid = s.starelid AND a.attnum = s.staattnum"
           " WHERE s.starelid = pg_catalog.to_regclass(" +
           pg::quote_literal(table) + ") AND a.atttypid < 16384 AND a.attcollation < 16384";
}

struct Size {
    double rows = 0;
    double pages = 0;
};

Size size_on(NodeId node, const std::string& table) {
    pg::Rows found = transaction::run(node,
                                      "SELECT reltuples, relpages FROM pg_catalog.pg_class"
                                      " WHERE oid = pg_catalog.to_regclass(" +
                                          pg::quote_literal(table) + ")",
                                      false);
    Size size;
    if (!found.empty() && found[0][0] && found[0][1]) {
        size.rows = std::max(0.0, std::stod(*found[0][0]));
        size.pages = std::stod(*found[0][1]);
    }
    return size;
}

void gather(const catalog::Table& table) {
    std::string name = qualified_name(table.relid);
    std::string relid = std::to_string(table.relid);
    Size all;
    NodeId fullest;
    double most = -1;
    for (const OwnedShards& owner : table.group->owners) {
        NodeId node = owner.node;
        Size size = size_on(node, name);
        all.rows += size.rows;
        all.pages += size.pages;
        if (size.rows > most) {
            most = size.rows;
            fullest = node;
        }
    }
    catalog_query(
        "UPDATE pg_catalog.pg_class SET reltuples = $2::real, relpages = $3::integer"
        " WHERE oid = $1::oid",
        {relid, std::to_string(all.rows), std::to_string(static_cast<long>(all.pages))});
    for (pg::Row& column : transaction::run(fullest, node_columns(name), false)) {
        catalog_query(
            "DELETE FROM pg_catalog.pg_statistic USING pg_catalog.pg_attribute a"
            " WHERE starelid = $1::oid AND a.attrelid = starelid AND a.attnum = staattnum"
            " AND a.attname = $2 AND stainherit = $3::bool",
            {relid, column[0], column[1]});
        column.insert(column.begin(), relid);
        catalog_query(kInsert, column);
    }
}

}  // namespace

void gather_statistics(const catalog::Catalog& herd, const std::vector<unsigned int>& tables) {
    pg::AsOwner owner;
    for (unsigned int relid : tables) {
        const catalog::Table* table = herd.find(relid);
        if (table != nullptr && table->kind == TableKind::kDistributed &&
            !table->group->some_here) {
            gather(*table);
        }
    }
}

}  // namespace herd::ddl
