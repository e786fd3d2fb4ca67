// SQL function: how large distributed and reference tables are on each node.
#include "api/plain_session.hpp"
#include "api/record_set.hpp"
#include "pg/spi.hpp"
#include "transaction/endpoint.hpp"

namespace {

using namespace herd;

constexpr std::int64_t kTimeoutMs = 3000;

// reltuples counts what the last ANALYZE saw: scaled to today's pages, as the planner does. Tables
// that were never analyzed have their activity counted at least.
constexpr const char* kSizes = R"(
    SELECT d.relation::text,
           sum(CASE WHEN c.relkind = 'p' THEN 0
                    WHEN c.reltuples >= 0 AND c.relpages > 0
                    THEN c.reltuples / c.relpages * (pg_relation_size(c.oid)
                         / current_setting('block_size')::float8)
                    ELSE pg_stat_get_live_tuples(c.oid) END)::bigint,
           sum(pg_total_relation_size(c.oid))::bigint
    FROM herd.distributed_table d,
         LATERAL (SELECT d.relation::oid AS relid
                  UNION SELECT relid::oid FROM pg_partition_tree(d.relation)) t
         JOIN pg_class c ON c.oid = t.relid
    GROUP BY d.relation)";

void add_rows(api::RecordSet& result, NodeId node, const pg::Rows& rows) {
    pg::AsOwner owner;
    for (const pg::Row& row : rows) {
        // A table that this transaction has just dropped or renamed is unknown here.
        pg::Field relation = pg::query_value("SELECT to_regclass($1)::oid", {row[0]});
        if (relation) {
            result.add({relation, std::to_string(node.value), row[1], row[2]});
        }
    }
}

void add_unknown(api::RecordSet& result, NodeId node) {
    for (const auto& [relid, table] : transaction::require_herd().tables) {
        if (table.root == relid) {
            result.add({std::to_string(relid), std::to_string(node.value), {}, {}});
        }
    }
}

}  // namespace

HERD_SQL_FUNCTION(herd_node_sizes) {
    api::RecordSet result(fcinfo);
    const catalog::Catalog& herd = transaction::require_herd();
    pg::Rows here;
    {
        pg::AsOwner owner;
        here = pg::query(kSizes);
    }
    add_rows(result, herd.self, here);
    if (herd.tables.empty() || !herd.is_coordinator()) {
        return Datum{0};
    }
    api::PlainSessions sessions(herd, kTimeoutMs);
    for (const api::PlainSessions::Answer& answer : sessions.ask(kSizes)) {
        if (answer.rows) {
            add_rows(result, answer.node->id, *answer.rows);
        } else {
            add_unknown(result, answer.node->id);
        }
    }
    return Datum{0};
}
