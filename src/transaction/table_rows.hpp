// Whole tables between this server and nodes, as part of the transaction. Triggers and foreign keys
// do not fire on the receiving side: the rows have been through them. The caller holds a lock that
// keeps writers out.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.hpp"
#include "catalog/herd_catalog.hpp"

namespace herd::transaction {

// Adds this server's rows to the nodes' tables of the same name; returns their number.
std::uint64_t send_rows(catalog::Oid relation, const std::vector<NodeId>& nodes);

// Adds the node's rows to this server's table, and deletes them there; returns their number.
std::uint64_t fetch_rows(catalog::Oid relation, NodeId node);

}  // namespace herd::transaction
