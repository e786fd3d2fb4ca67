// Whether a hash lies in the ranges of one node: asked for every row of a scan, so a binary search
// over as few bounds as there are.
#pragma once

#include <algorithm>
#include <cstdint>

#include "model/hash_range.hpp"

namespace herd::routing {

// The ranges from `begin` to `end` are in ascending order and do not overlap, as
// ShardMap::ranges_of returns them.
[[nodiscard]] inline bool in_ranges(const HashRange* begin, const HashRange* end,
                                    std::int64_t hash) {
    const HashRange* after = std::upper_bound(
        begin, end, hash,
        [](std::int64_t sought, const HashRange& range) { return sought < range.min; });
    return after != begin && hash <= (after - 1)->max;
}

}  // namespace herd::routing
