// Sends definitions to the nodes, as part of the transaction.
#pragma once

#include <string>
#include <vector>

#include "base/ids.hpp"

namespace herd::ddl {

// What the nodes run for one statement of the user.
struct Script {
    std::vector<NodeId> nodes;
    std::string search_path;
    std::string text;      // one or more statements
    bool replica = false;  // ordinary triggers do not fire there: they have fired here
    bool writes = true;
    int level = 0;  // the transaction's nesting level at which it was written
};

// Runs it on its nodes, all at once. Errors: the first node's, which aborts everything.
void send(const Script& script);

// The session's search_path as it is set.
std::string current_search_path();

// On a node: runs what the coordinator sent. Errors: kNotInternal.
void run_script(const std::string& search_path, const std::string& text, bool replica);

}  // namespace herd::ddl
