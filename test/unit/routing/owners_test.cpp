#include "routing/owners.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "support/maps.hpp"

namespace herd::routing {
namespace {

using Hashes = std::vector<std::int64_t>;
using Nodes = std::vector<NodeId>;

// Negative hashes are on node 1, the others on node 2.
ShardMap two_halves() {
    return test::even_map(2, {1, 2});
}

TEST(OwnersTest, namesEachNodeOnceInOrder) {
    EXPECT_EQ(owners(two_halves(), {5, -5, 6, -6}), (Nodes{NodeId{1}, NodeId{2}}));
    EXPECT_EQ(owners(two_halves(), {5}), Nodes{NodeId{2}});
    EXPECT_EQ(owners(two_halves(), {}), Nodes{});
}

TEST(SingleOwnerTest, isThereWhenAllHashesAreOnOneNode) {
    EXPECT_EQ(single_owner(two_halves(), {5, 6, kHashMax}), NodeId{2});
    EXPECT_EQ(single_owner(two_halves(), {5, -1}), std::nullopt);
    EXPECT_EQ(single_owner(two_halves(), {}), std::nullopt);
}

TEST(GroupByOwnerTest, keepsThePositionsOfEachNode) {
    const std::vector<OwnedHashes> groups = group_by_owner(two_halves(), {5, -5, 6});
    ASSERT_EQ(groups.size(), 2U);
    EXPECT_EQ(groups[0].node, NodeId{1});
    EXPECT_EQ(groups[0].positions, std::vector<std::size_t>{1});
    EXPECT_EQ(groups[1].node, NodeId{2});
    EXPECT_EQ(groups[1].positions, (std::vector<std::size_t>{0, 2}));
    EXPECT_TRUE(group_by_owner(two_halves(), {}).empty());
}

// Property: over random maps the three functions agree with the map, and no hash is lost or
// doubled.
TEST(OwnersTest, allFunctionsAgreeOnRandomMaps) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 200; ++round) {
        const ShardMap map = test::random_map(random);
        Hashes hashes(random() % 20);
        for (std::int64_t& hash : hashes) {
            hash = static_cast<std::int64_t>(random());
        }
        Nodes grouped;
        std::set<std::size_t> positions;
        for (const OwnedHashes& group : group_by_owner(map, hashes)) {
            grouped.push_back(group.node);
            for (const std::size_t position : group.positions) {
                ASSERT_EQ(map.owner(hashes.at(position)).node, group.node);
                ASSERT_TRUE(positions.insert(position).second);
            }
        }
        ASSERT_EQ(positions.size(), hashes.size());
        ASSERT_EQ(owners(map, hashes), grouped);
        ASSERT_EQ(single_owner(map, hashes).has_value(), grouped.size() == 1);
    }
}

}  // namespace
}  // namespace herd::routing
