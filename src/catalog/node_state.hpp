// The health of nodes in herd.node, as the supervisor stores it.
#pragma once

#include <map>

#include "base/ids.hpp"
#include "failover/node_health.hpp"

namespace herd::catalog {

std::map<NodeId, Health> load_health();
// Leaves the row alone while somebody else changes it; the next round tries again. seen: the node
// has just answered. True when it was stored.
bool store_health(NodeId node, const Health& health, bool seen);

// A line in herd.event.
void record_worker_event(const std::string& kind, const std::string& object,
                         const std::string& detail);

}  // namespace herd::catalog
