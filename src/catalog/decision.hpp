// herd.dist_transaction: one row per transaction and node, from the transaction's commit until the
// node has heard of it. A visible row proves that its transaction has committed.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/ids.hpp"
#include "failover/in_doubt.hpp"

namespace herd::catalog {

// Adds this transaction's rows, of this run of the server. For its last moments: needs no snapshot,
// and a transaction that has become read-only may still do it.
void record_decision(std::uint64_t xid, const std::vector<NodeId>& nodes);

// The rows of all nodes, or the first of very many.
std::map<NodeId, std::vector<std::uint64_t>> recorded_decisions();
bool is_recorded(const PreparedId& id);
// The node has heard of these.
void forget_decisions(NodeId node, const std::vector<std::uint64_t>& xids);

// What became of a transaction of this server.
TransactionStatus transaction_status(std::uint64_t xid);

}  // namespace herd::catalog
