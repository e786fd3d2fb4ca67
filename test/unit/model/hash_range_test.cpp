#include "model/hash_range.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>

#include "base/error.hpp"

namespace herd {
namespace {

std::uint64_t width_less_one(HashRange range) {
    return static_cast<std::uint64_t>(range.max) - static_cast<std::uint64_t>(range.min);
}

TEST(HashRangeTest, containsBothEnds) {
    constexpr HashRange kRange{-5, 7};
    EXPECT_TRUE(kRange.contains(-5));
    EXPECT_TRUE(kRange.contains(0));
    EXPECT_TRUE(kRange.contains(7));
    EXPECT_FALSE(kRange.contains(-6));
    EXPECT_FALSE(kRange.contains(8));
}

TEST(HashRangeTest, isTheWholeSpaceByDefault) {
    EXPECT_TRUE(HashRange().contains(kHashMin));
    EXPECT_TRUE(HashRange().contains(kHashMax));
    EXPECT_EQ(HashRange(), (HashRange{kHashMin, kHashMax}));
}

TEST(HashRangeTest, overlapsWhenOneHashIsShared) {
    EXPECT_TRUE((HashRange{0, 5}.overlaps({5, 9})));
    EXPECT_TRUE((HashRange{5, 9}.overlaps({0, 5})));
    EXPECT_TRUE((HashRange{0, 9}.overlaps({3, 4})));
    EXPECT_FALSE((HashRange{0, 5}.overlaps({6, 9})));
}

TEST(HashRangeTest, isAdjacentToTheNextAndThePrevious) {
    EXPECT_TRUE((HashRange{0, 5}.precedes({6, 9})));
    EXPECT_FALSE((HashRange{6, 9}.precedes({0, 5})));
    EXPECT_TRUE((HashRange{6, 9}.adjacent({0, 5})));
    EXPECT_FALSE((HashRange{0, 5}.adjacent({7, 9})));
    EXPECT_NE((HashRange{0, 5}), (HashRange{0, 6}));
}

// The space is a line and not a ring: kHashMax + 1 must not be computed.
TEST(HashRangeTest, hasNoNeighbourBeyondTheEndsOfTheSpace) {
    EXPECT_FALSE((HashRange{0, kHashMax}.adjacent({kHashMin, -2})));
}

TEST(SplitEvenlyTest, onePartIsTheWholeSpace) {
    EXPECT_EQ(split_evenly(1), std::vector<HashRange>{HashRange()});
}

TEST(SplitEvenlyTest, fourPartsBeginAtTheQuarters) {
    const std::vector<HashRange> quarters = split_evenly(4);
    ASSERT_EQ(quarters.size(), 4U);
    EXPECT_EQ(quarters[0], (HashRange{kHashMin, -4611686018427387905}));
    EXPECT_EQ(quarters[1], (HashRange{-4611686018427387904, -1}));
    EXPECT_EQ(quarters[2], (HashRange{0, 4611686018427387903}));
    EXPECT_EQ(quarters[3], (HashRange{4611686018427387904, kHashMax}));
}

TEST(SplitEvenlyTest, tilesTheSpaceInPartsOfEqualSizeForAnyCount) {
    for (const int parts : {1, 2, 3, 5, 7, 63, 64, 65, 1000, 4096, 32749, 100003}) {
        const std::vector<HashRange> ranges = split_evenly(parts);
        ASSERT_EQ(ranges.size(), static_cast<std::size_t>(parts));
        EXPECT_EQ(ranges.front().min, kHashMin);
        EXPECT_EQ(ranges.back().max, kHashMax);
        std::uint64_t narrowest = width_less_one(ranges.front());
        std::uint64_t widest = narrowest;
        for (std::size_t i = 1; i < ranges.size(); ++i) {
            ASSERT_TRUE(ranges[i - 1].precedes(ranges[i])) << parts << " parts, range " << i;
            narrowest = std::min(narrowest, width_less_one(ranges[i]));
            widest = std::max(widest, width_less_one(ranges[i]));
        }
        EXPECT_LE(widest - narrowest, 1U) << parts << " parts";
    }
}

TEST(SplitEvenlyTest, refusesLessThanOnePart) {
    for (const int parts : {0, -1}) {
        try {
            (void)split_evenly(parts);
            FAIL() << parts << " parts";
        } catch (const Error& error) {
            EXPECT_EQ(error.state(), sqlstate::kInvalidParameter);
        }
    }
}

}  // namespace
}  // namespace herd
