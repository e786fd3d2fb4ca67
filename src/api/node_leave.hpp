// A node leaves the herd, as part of the coordinator's transaction.
#pragma once

#include <string>

#include "catalog/herd_catalog.hpp"

namespace herd::api {

// Errors: as herd.remove_node.
void remove_node(const catalog::NodeEntry& node);

}  // namespace herd::api
