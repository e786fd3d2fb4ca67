#include "failover/node_health.hpp"

#include <gtest/gtest.h>

namespace herd {
namespace {

const Probe kGood{true, true, ""};
const Probe kLost{false, false, "no answer"};

TEST(NodeHealth, AnAnswerIsUp) {
    Health health = next_health({NodeState::kDown, "no answer", 7}, kGood);
    EXPECT_EQ(health.state, NodeState::kUp);
    EXPECT_EQ(health.message, "");
    EXPECT_EQ(health.failures, 0);
}

TEST(NodeHealth, OneLostProbeChangesNothing) {
    Health health = next_health({NodeState::kUp, "", 0}, kLost);
    EXPECT_EQ(health.state, NodeState::kUp);
    health = next_health(health, kLost);
    EXPECT_EQ(health.state, NodeState::kDown);
    EXPECT_EQ(health.message, "no answer");
    EXPECT_EQ(next_health(health, kLost).state, NodeState::kDown);
}

TEST(NodeHealth, AnAnswerBetweenLostProbesStartsTheCountAnew) {
    Health health = next_health({NodeState::kUp, "", 0}, kLost);
    health = next_health(health, kGood);
    EXPECT_EQ(next_health(health, kLost).state, NodeState::kUp);
}

TEST(NodeHealth, AStrangersAnswerIsUnknown) {
    Health health = next_health({NodeState::kUp, "", 0}, {true, false, "in another herd"});
    EXPECT_EQ(health.state, NodeState::kUnknown);
    EXPECT_EQ(health.message, "in another herd");
}

TEST(NodeHealth, WordsAndStatesAgree) {
    for (NodeState state : {NodeState::kUp, NodeState::kDown, NodeState::kUnknown}) {
        EXPECT_EQ(node_state_from(word_for(state)), state);
    }
    EXPECT_EQ(node_state_from("nonsense"), NodeState::kUnknown);
}

TEST(Situation, AllIsWell) {
    NodeReport n1{"n1", {NodeState::kUp, "", 0}, 0, 0};
    NodeReport n2{"n2", {NodeState::kUp, "", 0}, 0, 0};
    EXPECT_EQ(situation({}), "the coordinator is alone in its herd");
    EXPECT_EQ(situation({n1}), "the node is up, no transaction is in doubt");
    EXPECT_EQ(situation({n1, n2}), "all 2 nodes are up, no transaction is in doubt");
}

TEST(Situation, TroubleIsNamed) {
    NodeReport n1{"n1", {NodeState::kDown, "no answer", 2}, 2, 0};
    NodeReport n2{"n2", {NodeState::kUp, "", 0}, 1, 1};
    NodeReport n3{"n3", {NodeState::kUnknown, "", 0}, 0, 0};
    EXPECT_EQ(situation({n1, n2, n3}),
              "node \"n1\" is down (no answer) and holds 2 transactions in doubt; "
              "node \"n2\" holds 1 transaction in doubt, 1 of them for you to decide; "
              "node \"n3\" is unknown");
}

}  // namespace
}  // namespace herd
