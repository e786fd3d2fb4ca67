#include "model/node.hpp"

#include <cmath>
#include <cstddef>

#include "base/error.hpp"

namespace herd {

namespace {

// PostgreSQL's NAMEDATALEN - 1: a node's name fits wherever an object's name does.
constexpr std::size_t kMaxNameLength = 63;
constexpr int kMaxPort = 65535;

void require(bool valid, const std::string& message, const std::string& detail) {
    if (!valid) {
        Error error(sqlstate::kInvalidParameter, message);
        error.detail(detail);
        throw error;
    }
}

}  // namespace

void check_valid(const HerdNode& node) {
    require(!node.name.empty() && node.name.size() <= kMaxNameLength,
            "invalid node name \"" + node.name + "\"",
            "a name has 1 to " + std::to_string(kMaxNameLength) + " bytes");
    require(std::isfinite(node.weight) && node.weight > 0,
            "invalid weight of node \"" + node.name + "\": " + std::to_string(node.weight),
            "a weight is a finite number above 0");
}

void check_valid(const Server& server) {
    require(!server.host.empty(), "a server needs a host",
            "it is a host name, an IP address or the directory of a Unix socket");
    require(server.port >= 1 && server.port <= kMaxPort,
            "invalid port " + std::to_string(server.port) + " of server \"" + server.host + "\"",
            "a port is a number from 1 to " + std::to_string(kMaxPort));
    require(!server.dbname.empty(), "server \"" + server.host + "\" needs a database name",
            "a node is one database of a server");
}

}  // namespace herd
