// One question to all servers of the herd at once, for views that show the herd as one server.
#pragma once

#include <functional>
#include <string>

#include "base/ids.hpp"
#include "pg/spi.hpp"

namespace herd::api {

using NodeRows = std::function<void(NodeId node, const std::string& name, const pg::Rows& rows)>;

// Asks this server in this session, and each node over a connection of its own, as the current role
// and with its settings. A node that does not answer in time is left out with a WARNING.
void ask_everywhere(const std::string& question, const NodeRows& take);

}  // namespace herd::api
