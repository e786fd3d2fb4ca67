// What a node's answers, and their absence, say about its health.
#pragma once

#include <string>
#include <vector>

#include "base/ids.hpp"

namespace herd {

enum class NodeState { kUp, kDown, kUnknown };

const char* word_for(NodeState state);
NodeState node_state_from(const std::string& word);

// One attempt to ask a node how it is.
struct Probe {
    bool answered = false;
    bool ours = false;    // it showed the herd's own cluster id, and its own node id
    std::string problem;  // empty when all is well
};

struct Health {
    NodeState state = NodeState::kUnknown;
    std::string message;  // why it is not up
    int failures = 0;     // probes in a row without an answer
};

// One lost probe proves nothing: the connection may just have been closed.
constexpr int kFailuresUntilDown = 2;

Health next_health(const Health& health, const Probe& probe);

// What the supervisor knows about one node.
struct NodeReport {
    std::string name;
    Health health;
    int in_doubt = 0;     // prepared transactions that wait for the coordinator's word or the node
    int undecidable = 0;  // of these, for people to decide
};

// The one sentence that explains the state of the herd.
std::string situation(const std::vector<NodeReport>& nodes);

}  // namespace herd
