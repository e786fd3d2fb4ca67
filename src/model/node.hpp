// A node is a logical home for shards; a server is one PostgreSQL instance of it.
#pragma once

#include <string>

#include "base/ids.hpp"

namespace herd {

// PostgreSQL has a struct Node of its own.
struct HerdNode {
    NodeId id;
    std::string name;
    // May shards be placed here? What is there already stays.
    bool takes_shards = true;
    // Its share of the shards, relative to the other nodes' weights.
    double weight = 1;

    [[nodiscard]] bool is_coordinator() const { return id == kCoordinator; }
};

struct Server {
    ServerId id;
    NodeId node;
    std::string role;
    std::string host;
    int port = 0;
    std::string dbname;
    std::string username;
    // Further libpq options (sslmode, passfile, service ...), never a password.
    std::string options;
    // Empty where the herd did not create the server itself.
    std::string data_directory;
};

// Throw kInvalidParameter, naming the field, for values that no node or server may have.
void check_valid(const HerdNode& node);
void check_valid(const Server& server);

}  // namespace herd
