#include "catalog/node_state.hpp"

#include "pg/spi.hpp"

namespace herd::catalog {

std::map<NodeId, Health> load_health() {
    std::map<NodeId, Health> found;
    for (const pg::Row& row : pg::query("SELECT node_id, state, message FROM herd.node")) {
        found[NodeId(std::stoi(row[0].value()))] = {node_state_from(row[1].value()), row[2].value(),
                                                    0};
    }
    return found;
}

bool store_health(NodeId node, const Health& health, bool seen) {
    return !pg::query(
                "UPDATE herd.node SET state = $2, message = $3, last_seen = "
                "CASE WHEN $4 = 'seen' THEN pg_catalog.clock_timestamp() ELSE last_seen END "
                "WHERE node_id = (SELECT node_id FROM herd.node "
                "WHERE node_id = $1::pg_catalog.int4 FOR UPDATE SKIP LOCKED) "
                "RETURNING node_id",
                {std::to_string(node.value), std::string(word_for(health.state)), health.message,
                 std::string(seen ? "seen" : "")})
                .empty();
}

void record_worker_event(const std::string& kind, const std::string& object,
                         const std::string& detail) {
    pg::query("INSERT INTO herd.event (kind, object, detail) VALUES ($1, $2, $3)",
              {kind, object, detail});
}

}  // namespace herd::catalog
