#include "placement/spread.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>

#include "base/error.hpp"

namespace herd::placement {
namespace {

using Weights = std::vector<NodeWeight>;

std::map<NodeId, int> counts_of(const std::vector<NodeId>& owners) {
    std::map<NodeId, int> counts;
    for (const NodeId node : owners) {
        ++counts[node];
    }
    return counts;
}

SqlState refusal_of(int shard_count, const Weights& nodes) {
    try {
        (void)spread(shard_count, nodes);
    } catch (const Error& error) {
        return error.state();
    }
    return SqlState("00000");
}

TEST(WeightsOfTest, leavesOutNodesThatTakeNoShards) {
    const Weights weights =
        weights_of({{NodeId{1}, "coordinator", false, 1}, {NodeId{2}, "alpha", true, 3}});
    ASSERT_EQ(weights.size(), 1U);
    EXPECT_EQ(weights[0].node, NodeId{2});
    EXPECT_EQ(weights[0].weight, 3);
}

TEST(SpreadTest, givesEqualNodesEqualSharesInRuns) {
    const std::vector<NodeId> owners = spread(6, {{NodeId{3}, 1}, {NodeId{1}, 1}, {NodeId{2}, 1}});
    const std::vector<NodeId> expected{NodeId{1}, NodeId{1}, NodeId{2},
                                       NodeId{2}, NodeId{3}, NodeId{3}};
    EXPECT_EQ(owners, expected);
}

TEST(SpreadTest, followsTheWeights) {
    const auto counts = counts_of(spread(64, {{NodeId{1}, 1}, {NodeId{2}, 3}}));
    EXPECT_EQ(counts.at(NodeId{1}), 16);
    EXPECT_EQ(counts.at(NodeId{2}), 48);
}

// 64 / 3 leaves one shard over: the lower id takes it, always.
TEST(SpreadTest, givesTheRestToTheLargestRemainderThenToTheLowerId) {
    const auto equal = counts_of(spread(64, {{NodeId{3}, 1}, {NodeId{2}, 1}, {NodeId{1}, 1}}));
    EXPECT_EQ(equal.at(NodeId{1}), 22);
    EXPECT_EQ(equal.at(NodeId{2}), 21);
    EXPECT_EQ(equal.at(NodeId{3}), 21);
    const auto weighted = counts_of(spread(4, {{NodeId{1}, 1}, {NodeId{2}, 2}}));
    EXPECT_EQ(weighted.at(NodeId{1}), 1);
    EXPECT_EQ(weighted.at(NodeId{2}), 3);
}

// The sum of these weights is infinite in a double.
TEST(SpreadTest, copesWithExtremeWeights) {
    constexpr double kHuge = std::numeric_limits<double>::max();
    const auto counts = counts_of(spread(10, {{NodeId{1}, kHuge}, {NodeId{2}, kHuge}}));
    EXPECT_EQ(counts.at(NodeId{1}), 5);
    EXPECT_EQ(counts.at(NodeId{2}), 5);
    EXPECT_EQ(counts_of(spread(10, {{NodeId{1}, kHuge}, {NodeId{2}, 1e-300}})).at(NodeId{1}), 10);
}

TEST(SpreadTest, saysWhatIsWrongWithItsArguments) {
    EXPECT_EQ(refusal_of(64, {}), sqlstate::kObjectNotInState);
    EXPECT_EQ(refusal_of(0, {{NodeId{1}, 1}}), sqlstate::kInvalidParameter);
    EXPECT_EQ(refusal_of(1, {{NodeId{1}, 0}}), sqlstate::kInvalidParameter);
    EXPECT_EQ(refusal_of(1, {{NodeId{1}, std::nan("")}}), sqlstate::kInvalidParameter);
    EXPECT_EQ(refusal_of(1, {{NodeId{1}, 1}, {NodeId{2}, 1}, {NodeId{1}, 1}}),
              sqlstate::kInvalidParameter);
}

Weights random_nodes(std::mt19937& random) {
    std::uniform_real_distribution<double> weight(0.01, 10);
    Weights nodes;
    const std::size_t count = 1 + random() % 12;
    for (std::size_t i = 0; i < count; ++i) {
        nodes.push_back({NodeId{static_cast<std::int32_t>(i) + 1}, weight(random)});
    }
    return nodes;
}

// Property: every shard has an owner, no node is more than a shard away from its exact share, each
// node's shards are one run, and the order in which the nodes are given is of no account.
TEST(SpreadTest, keepsToTheExactShareForRandomWeights) {
    std::mt19937 random(42);
    for (int round = 0; round < 500; ++round) {
        Weights nodes = random_nodes(random);
        const int shard_count = static_cast<int>(1 + random() % 300);
        const std::vector<NodeId> owners = spread(shard_count, nodes);
        ASSERT_EQ(owners.size(), static_cast<std::size_t>(shard_count));
        ASSERT_TRUE(std::is_sorted(owners.begin(), owners.end()));
        auto counts = counts_of(owners);
        const double total =
            std::accumulate(nodes.begin(), nodes.end(), 0.0,
                            [](double sum, const NodeWeight& node) { return sum + node.weight; });
        for (const NodeWeight& node : nodes) {
            ASSERT_LT(std::abs(counts[node.node] - node.weight / total * shard_count), 1 + 1e-9);
        }
        std::shuffle(nodes.begin(), nodes.end(), random);
        ASSERT_EQ(spread(shard_count, nodes), owners);
    }
}

// Property: the rebuilt counts of equal nodes differ by one at most.
TEST(SpreadTest, keepsEqualNodesWithinOneShardOfEachOther) {
    for (int node_count = 1; node_count <= 60; ++node_count) {
        Weights nodes;
        for (int node = 1; node <= node_count; ++node) {
            nodes.push_back({NodeId{node}, 1});
        }
        for (const int shard_count : {1, node_count, node_count + 1, 64, 500}) {
            auto counts = counts_of(spread(shard_count, nodes));
            for (const NodeWeight& node : nodes) {
                ASSERT_GE(counts[node.node], shard_count / node_count);
                ASSERT_LE(counts[node.node], (shard_count + node_count - 1) / node_count);
            }
        }
    }
}

}  // namespace
}  // namespace herd::placement
