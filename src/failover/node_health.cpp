#include "failover/node_health.hpp"

namespace herd {

namespace {

std::string count_of(int number, const std::string& noun) {
    return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

// What is wrong with one node; empty when nothing is.
std::string trouble_of(const NodeReport& node) {
    std::string text;
    if (node.health.state != NodeState::kUp) {
        text = "node \"" + node.name + "\" is " + word_for(node.health.state);
        if (!node.health.message.empty()) {
            text += " (" + node.health.message + ")";
        }
    }
    if (node.in_doubt > 0) {
        text += text.empty() ? "node \"" + node.name + "\" holds " : " and holds ";
        text += count_of(node.in_doubt, "transaction") + " in doubt";
    }
    if (node.undecidable > 0) {
        text += ", " + std::to_string(node.undecidable) + " of them for you to decide";
    }
    return text;
}

}  // namespace

const char* word_for(NodeState state) {
    switch (state) {
        case NodeState::kUp:
            return "up";
        case NodeState::kDown:
            return "down";
        case NodeState::kUnknown:
            break;
    }
    return "unknown";
}

NodeState node_state_from(const std::string& word) {
    return word == "up" ? NodeState::kUp : word == "down" ? NodeState::kDown : NodeState::kUnknown;
}

Health next_health(const Health& health, const Probe& probe) {
    if (probe.answered) {
        return {probe.ours ? NodeState::kUp : NodeState::kUnknown, probe.problem, 0};
    }
    Health next = health;
    ++next.failures;
    if (next.failures >= kFailuresUntilDown) {
        next.state = NodeState::kDown;
        next.message = probe.problem;
    }
    return next;
}

std::string situation(const std::vector<NodeReport>& nodes) {
    if (nodes.empty()) {
        return "the coordinator is alone in its herd";
    }
    std::string text;
    for (const NodeReport& node : nodes) {
        std::string trouble = trouble_of(node);
        if (!trouble.empty()) {
            text += (text.empty() ? "" : "; ") + trouble;
        }
    }
    if (!text.empty()) {
        return text;
    }
    return (nodes.size() == 1
                ? "the node is up"
                : "all " + count_of(static_cast<int>(nodes.size()), "node") + " are up") +
           std::string(", no transaction is in doubt");
}

}  // namespace herd
