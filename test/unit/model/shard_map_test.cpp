#include "model/shard_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "support/maps.hpp"

namespace herd {
namespace {

// What the constructor says about shards that are no map.
Error refusal_of(std::vector<Shard> shards) {
    try {
        const ShardMap map(std::move(shards));
    } catch (const Error& error) {
        return error;
    }
    return Error(SqlState("00000"), "accepted");
}

Shard shard(std::int64_t id, std::int64_t min, std::int64_t max) {
    return Shard{ShardId{id}, HashRange{min, max}, kCoordinator};
}

TEST(ShardMapTest, findsTheOwnerAtBothEndsOfEveryRange) {
    const ShardMap map = test::even_map(64, {1, 2, 3});
    ASSERT_EQ(map.size(), 64U);
    for (std::size_t i = 0; i < map.size(); ++i) {
        EXPECT_EQ(map.index_of(map.shards()[i].range.min), i);
        EXPECT_EQ(map.index_of(map.shards()[i].range.max), i);
        EXPECT_EQ(map.owner(map.shards()[i].range.max).id, map.shards()[i].id);
    }
}

TEST(ShardMapTest, takesShardsInAnyOrderAndSortsThem) {
    const ShardMap map({shard(2, 0, kHashMax), shard(1, kHashMin, -1)}, Epoch{7});
    EXPECT_EQ(map.shards()[0].id, ShardId{1});
    EXPECT_EQ(map.owner(-1).id, ShardId{1});
    EXPECT_EQ(map.owner(0).id, ShardId{2});
    EXPECT_EQ(map.epoch(), Epoch{7});
}

TEST(ShardMapTest, listsItsNodesOnceAndInOrder) {
    const std::vector<NodeId> expected{NodeId{1}, NodeId{2}, NodeId{3}};
    EXPECT_EQ(test::even_map(7, {3, 1, 3, 2}).nodes(), expected);
}

TEST(ShardMapTest, joinsNeighbouringShardsOfANode) {
    const ShardMap map = test::even_map(4, {1, 1, 2, 1});
    const std::vector<HashRange> expected{{kHashMin, -1}, {map.shards()[3].range.min, kHashMax}};
    EXPECT_EQ(map.ranges_of(NodeId{1}), expected);
    EXPECT_EQ(map.ranges_of(NodeId{2}), std::vector<HashRange>{map.shards()[2].range});
    EXPECT_TRUE(map.ranges_of(NodeId{3}).empty());
}

TEST(ShardMapTest, refusesNoShards) {
    EXPECT_EQ(refusal_of({}).state(), sqlstate::kMetadataDamaged);
    EXPECT_EQ(refusal_of({}).message(), "shard map has no shards");
}

TEST(ShardMapTest, namesTheGap) {
    const Error between = refusal_of({shard(1, kHashMin, -1), shard(2, 1, kHashMax)});
    EXPECT_EQ(between.state(), sqlstate::kMetadataDamaged);
    EXPECT_EQ(between.message(), "shard map has a gap");
    EXPECT_EQ(between.detail(),
              "no shard between shard 1 [-9223372036854775808, -1] and "
              "shard 2 [1, 9223372036854775807]");
    EXPECT_FALSE(between.hint().empty());
    EXPECT_EQ(refusal_of({shard(1, 0, kHashMax)}).detail(),
              "no shard before shard 1 [0, 9223372036854775807]");
    EXPECT_EQ(refusal_of({shard(1, kHashMin, 0)}).detail(),
              "no shard after shard 1 [-9223372036854775808, 0]");
}

TEST(ShardMapTest, namesTheOverlap) {
    const Error error = refusal_of({shard(1, kHashMin, 0), shard(2, 0, kHashMax)});
    EXPECT_EQ(error.state(), sqlstate::kMetadataDamaged);
    EXPECT_EQ(error.message(), "shards overlap");
    EXPECT_EQ(error.detail(),
              "shard 1 [-9223372036854775808, 0] overlaps shard 2 [0, 9223372036854775807]");
    EXPECT_EQ(refusal_of({shard(1, kHashMin, kHashMax), shard(2, 5, 6)}).message(),
              "shards overlap");
}

TEST(ShardMapTest, refusesAnEmptyRangeAndAnIdUsedTwice) {
    EXPECT_EQ(refusal_of({shard(1, kHashMin, kHashMax), shard(2, 6, 5)}).message(),
              "shard has an empty range");
    EXPECT_EQ(refusal_of({shard(1, kHashMin, -1), shard(1, 0, kHashMax)}).message(),
              "shard id is used twice");
}

TEST(ShardMapTest, looksAtAnotherMap) {
    const ShardMap map = test::even_map(7, {3, 1, 2});
    const ShardMap look(map.shards(), map.starts(), map.epoch());
    EXPECT_EQ(look.size(), map.size());
    EXPECT_EQ(look.nodes(), map.nodes());
    EXPECT_EQ(look.ranges_of(NodeId{3}), map.ranges_of(NodeId{3}));
    for (const Shard& each : map.shards()) {
        EXPECT_EQ(&look.owner(each.range.max), &map.owner(each.range.max));
    }
}

// Property: in a map with random boundaries and owners each hash has one owner, the binary search
// finds it, and the nodes' joined ranges tile the space again.
TEST(ShardMapTest, randomMapsGiveEachHashOneOwner) {
    std::mt19937_64 random(20240607);
    for (int round = 0; round < 200; ++round) {
        const ShardMap map = test::random_map(random);
        for (int probe = 0; probe < 50; ++probe) {
            const auto hash = static_cast<std::int64_t>(random());
            const auto holders =
                std::count_if(map.shards().begin(), map.shards().end(),
                              [&](const Shard& s) { return s.range.contains(hash); });
            ASSERT_EQ(holders, 1);
            ASSERT_TRUE(map.owner(hash).range.contains(hash));
        }
        std::vector<Shard> joined;
        for (const NodeId node : map.nodes()) {
            for (const HashRange range : map.ranges_of(node)) {
                joined.push_back({ShardId{static_cast<std::int64_t>(joined.size())}, range, node});
            }
        }
        ASSERT_LE(joined.size(), map.size());
        ASSERT_NO_THROW(ShardMap{joined});
    }
}

// Property: without any one of its shards, or with any one twice, a map is refused.
TEST(ShardMapTest, refusesEveryMapWithAShardMissingOrDoubled) {
    const ShardMap map = test::even_map(9, {1, 2});
    for (std::size_t i = 0; i < map.size(); ++i) {
        std::vector<Shard> missing(map.shards().begin(), map.shards().end());
        missing.erase(missing.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_EQ(refusal_of(missing).message(), "shard map has a gap");
        std::vector<Shard> doubled(map.shards().begin(), map.shards().end());
        doubled.push_back(doubled[i]);
        EXPECT_EQ(refusal_of(doubled).message(), "shards overlap");
    }
}

}  // namespace
}  // namespace herd
