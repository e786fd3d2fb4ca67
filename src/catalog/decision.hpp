// herd.dist_transaction: one row per transaction that wrote on several servers, from its commit
// until all its nodes have heard of it. A visible row proves that its transaction has committed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "failover/in_doubt.hpp"

namespace herd::catalog {

struct Decision {
    std::uint64_t xid;
    std::vector<NodeId> nodes;  // that hold it prepared when it is made
    std::string place;          // of its row; nobody moves it
};

// Adds this transaction's row, of this run of the server. For its last moments: needs no snapshot,
// and a transaction that has become read-only may still do it.
void record_decision(std::uint64_t xid, const std::vector<NodeId>& nodes);

// All of them, or the first of very many.
std::vector<Decision> recorded_decisions();
bool is_recorded(const PreparedId& id);
// All their nodes have heard of these: read in the same transaction.
void forget_decisions(const std::vector<std::string>& places);

// What became of a transaction of this server.
TransactionStatus transaction_status(std::uint64_t xid);

}  // namespace herd::catalog
