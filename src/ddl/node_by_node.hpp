// Statements that can't run in a transaction: each node runs them in its own, all nodes at the same
// time, when they are done here. What one node has finished stays when another fails.
#pragma once

#include <string>
#include <vector>

#include "base/ids.hpp"

namespace herd::ddl {

struct NodeCommand {
    NodeId node;
    std::string sql;
};

struct NodeByNode {
    std::vector<NodeCommand> commands;
    std::string search_path;
    std::string what;    // "CREATE INDEX CONCURRENTLY i", for messages and herd.event
    std::string remedy;  // how to finish what a failure leaves half done
};

// Runs the commands and waits for all. Errors: the first node's own state, with what is done where
// and the remedy; herd.event keeps it.
void run_node_by_node(const NodeByNode& work);

}  // namespace herd::ddl
