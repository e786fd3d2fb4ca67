// A closed interval of the 64-bit hash space, where every row of a distributed table has its place.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace herd {

constexpr std::int64_t kHashMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHashMax = std::numeric_limits<std::int64_t>::max();

// Both ends belong to the range; a range is never empty.
struct HashRange {
    std::int64_t min = kHashMin;
    std::int64_t max = kHashMax;

    [[nodiscard]] constexpr bool contains(std::int64_t hash) const {
        return min <= hash && hash <= max;
    }
    [[nodiscard]] constexpr bool overlaps(HashRange other) const {
        return min <= other.max && other.min <= max;
    }
    // Does `next` begin with the hash that follows this range's last one?
    [[nodiscard]] constexpr bool precedes(HashRange next) const {
        return max != kHashMax && max + 1 == next.min;
    }
    [[nodiscard]] constexpr bool adjacent(HashRange other) const {
        return precedes(other) || other.precedes(*this);
    }
    constexpr bool operator==(HashRange other) const {
        return min == other.min && max == other.max;
    }
    constexpr bool operator!=(HashRange other) const { return !(*this == other); }
};

// The whole hash space in `parts` ranges whose sizes differ by one at most, in ascending order.
// Throws kInvalidParameter for less than one part.
[[nodiscard]] std::vector<HashRange> split_evenly(int parts);

}  // namespace herd
