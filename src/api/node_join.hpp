// A server becomes a node, as part of the coordinator's transaction: all or nothing on both sides.
#pragma once

#include "model/node.hpp"

namespace herd::api {

struct JoinRequest {
    HerdNode node;  // its id is given here
    Server server;
    std::string data_directory;  // of a server that the herd made itself
};

// What can be known before the server is there: privilege, name, state of the transaction.
void require_can_join(const JoinRequest& request);

// The new node's id. Errors: as herd.add_node.
NodeId join_node(const JoinRequest& request);

// Reports a step of a long operation to the client.
void report_step(const std::string& text);

}  // namespace herd::api
