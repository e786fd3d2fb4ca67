#include "routing/owned_ranges.hpp"

#include <gtest/gtest.h>

#include <random>

#include "support/maps.hpp"

namespace herd::routing {
namespace {

bool in(const std::vector<HashRange>& ranges, std::int64_t hash) {
    return in_ranges(ranges.data(), ranges.data() + ranges.size(), hash);
}

TEST(OwnedRangesTest, bothEndsOfARangeBelongToIt) {
    std::vector<HashRange> ranges = {{-10, -5}, {0, 0}, {7, 9}};
    for (std::int64_t hash : {-10, -7, -5, 0, 7, 8, 9}) {
        EXPECT_TRUE(in(ranges, hash)) << hash;
    }
    for (std::int64_t hash : {-11, -4, -1, 1, 6, 10}) {
        EXPECT_FALSE(in(ranges, hash)) << hash;
    }
}

TEST(OwnedRangesTest, theEndsOfTheSpaceAreHashesLikeAnyOther) {
    EXPECT_TRUE(in({{kHashMin, kHashMax}}, kHashMin));
    EXPECT_TRUE(in({{kHashMin, kHashMax}}, kHashMax));
    EXPECT_FALSE(in({{kHashMin + 1, kHashMax - 1}}, kHashMin));
    EXPECT_FALSE(in({{kHashMin + 1, kHashMax - 1}}, kHashMax));
    EXPECT_FALSE(in({}, 0));
}

// Each hash is in the ranges of its owner, and in nobody else's.
TEST(OwnedRangesTest, agreeWithTheShardMap) {
    ShardMap map = test::even_map(12, {1, 2, 2, 3, 1, 3});
    std::mt19937_64 random(1);
    for (int i = 0; i < 1000; ++i) {
        auto hash = static_cast<std::int64_t>(random());
        for (NodeId node : map.nodes()) {
            EXPECT_EQ(in(map.ranges_of(node), hash), map.owner(hash).node == node) << hash;
        }
    }
}

}  // namespace
}  // namespace herd::routing
