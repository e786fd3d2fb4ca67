// VACUUM, ANALYZE, REINDEX, CLUSTER and what runs CONCURRENTLY: on this server first, by PostgreSQL
// itself, then on the nodes. MaintenancePlan is made before that, while everything is still there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/herd_catalog.hpp"
#include "ddl/node_by_node.hpp"
#include "ddl/object_log.hpp"
#include "ddl/statement_kind.hpp"

namespace herd::ddl {

struct Maintenance {
    std::string text;  // for the nodes; empty: nothing to do there
    std::string what;
    std::string remedy;
    bool in_transaction = false;         // can be part of the user's transaction
    std::vector<unsigned int> analyzed;  // tables whose statistics are new
};

// What the nodes have to do. `text` is the user's statement.
Maintenance plan_maintenance(const catalog::Catalog& herd, Kind kind, const ::Node* statement,
                             const std::string& text, bool in_block);

// CREATE INDEX CONCURRENTLY goes by the definition that came out here.
void complete_index(Maintenance& work, const ObjectLog& log);

}  // namespace herd::ddl
