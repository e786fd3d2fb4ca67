#include "model/hash_range.hpp"

#include <cstddef>
#include <string>

#include "base/error.hpp"

namespace herd {

namespace {

__extension__ using Wide = unsigned __int128;

// The first hash of part number `part`; `part` == `parts` wraps round to the first hash of all.
std::int64_t first_hash(int part, int parts) {
    constexpr Wide kSpace = Wide{1} << 64U;
    const Wide offset = kSpace * static_cast<Wide>(part) / static_cast<Wide>(parts);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(kHashMin) +
                                     static_cast<std::uint64_t>(offset));
}

}  // namespace

std::vector<HashRange> split_evenly(int parts) {
    if (parts < 1) {
        throw Error(sqlstate::kInvalidParameter,
                    "the hash space can't be split into " + std::to_string(parts) + " parts");
    }
    std::vector<HashRange> ranges;
    ranges.reserve(static_cast<std::size_t>(parts));
    for (int part = 0; part < parts; ++part) {
        const bool last = part == parts - 1;
        ranges.push_back(
            {first_hash(part, parts), last ? kHashMax : first_hash(part + 1, parts) - 1});
    }
    return ranges;
}

}  // namespace herd
