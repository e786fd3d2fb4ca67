// herd.check(): shards and the rows of reference tables.
#include "api/check.hpp"
#include "api/plain_session.hpp"
#include "pg/local_only.hpp"
#include "pg/spi.hpp"
#include "transaction/endpoint.hpp"

namespace herd::api {

namespace {

constexpr const char* kCoordinatorName = "coordinator";
// Reference tables beyond this size are compared by their number of rows only.
constexpr const char* kDeepLimit = "67108864";
// Writers that commit between two reads make tables look different; looked at again, they do not.
constexpr int kLooks = 3;

std::string contents_query(const std::string& table, bool deep) {
    return "SELECT count(*)" +
           std::string(deep ? ", sum(hashtextextended(t::text, 0)::numeric)" : ", NULL") +
           " FROM " + table + " t";
}

struct Copies {
    bool equal = true;
    std::string rows;
    std::vector<std::pair<std::string, std::string>> different;  // node, its number of rows
};

Copies compare(PlainSessions& sessions, const std::string& sql) {
    Copies copies;
    pg::Row here;
    {
        pg::AsOwner owner;
        pg::LocalOnly local;
        here = pg::query(sql).at(0);
    }
    copies.rows = here[0].value_or("?");
    for (const PlainSessions::Answer& answer : sessions.ask(sql)) {
        if (answer.rows && answer.rows->at(0) != here) {
            copies.equal = false;
            copies.different.emplace_back(answer.node->name, answer.rows->at(0)[0].value_or("?"));
        } else if (!answer.rows && answer.reachable) {
            copies.equal = false;
            copies.different.emplace_back(answer.node->name, answer.problem);
        }
    }
    return copies;
}

}  // namespace

void check_ranges(Report& report) {
    pg::AsOwner owner;
    pg::Rows rows = pg::query(R"(
        SELECT group_id, string_agg(format('%s to %s', hash_min, hash_max), ', ' ORDER BY hash_min)
        FROM (SELECT group_id, hash_min, hash_max,
                     coalesce(lag(hash_max) OVER w::numeric + 1, -9223372036854775808) AS expected,
                     lead(hash_min) OVER w IS NULL AS last
              FROM herd.shard WINDOW w AS (PARTITION BY group_id ORDER BY hash_min)) s
        WHERE hash_min <> expected OR last AND hash_max <> 9223372036854775807
        GROUP BY group_id
        UNION ALL
        SELECT group_id, 'it has no shards' FROM herd.table_group g
        WHERE NOT EXISTS (SELECT 1 FROM herd.shard s WHERE s.group_id = g.group_id))");
    for (const pg::Row& row : rows) {
        report.error("ranges", kCoordinatorName,
                     "the shards of group " + *row[0] + " leave a gap or overlap at " + *row[1],
                     "Somebody has changed herd.shard by hand; restore it from a backup.");
    }
    if (rows.empty()) {
        report.ok("ranges", kCoordinatorName, "the shards of every group tile the hash space");
    }
}

void check_reference_tables(PlainSessions& sessions, Report& report) {
    pg::Rows tables;
    {
        pg::AsOwner owner;
        tables = pg::query(
            "SELECT relation::text, (SELECT sum(pg_relation_size(relid)) FROM (SELECT "
            "relation::oid AS "
            "relid UNION SELECT relid::oid FROM pg_partition_tree(relation)) t) < $1::int8 "
            "FROM herd.distributed_table WHERE kind = 'r' ORDER BY 1",
            {kDeepLimit});
    }
    for (const pg::Row& table : tables) {
        std::string sql = contents_query(*table[0], table[1] == pg::Field("t"));
        Copies copies = compare(sessions, sql);
        for (int look = 1; look < kLooks && !copies.equal; ++look) {
            copies = compare(sessions, sql);
        }
        for (const auto& [node, rows] : copies.different) {
            report.error("reference table", node,
                         *table[0] + " is not the same as on the coordinator, which has " +
                             copies.rows + " rows; there: " + rows,
                         "SELECT herd.collect('" + *table[0] + "'), then herd.reference('" +
                             *table[0] + "') copies it again.");
        }
        if (copies.equal) {
            report.ok("reference table", kCoordinatorName,
                      *table[0] + " is the same on all nodes, " + copies.rows + " rows");
        }
    }
}

}  // namespace herd::api
