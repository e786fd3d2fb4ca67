#include "model/shard_map.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace herd {

namespace {

constexpr const char* kRepairHint = "Run herd.check() to see what is wrong with the metadata.";

std::string name_of(const Shard& shard) {
    return "shard " + std::to_string(shard.id.value) + " [" + std::to_string(shard.range.min) +
           ", " + std::to_string(shard.range.max) + "]";
}

[[noreturn]] void report_damage(std::string message, std::string detail) {
    Error error(sqlstate::kMetadataDamaged, std::move(message));
    error.detail(std::move(detail)).hint(kRepairHint);
    throw error;
}

void check_neighbours(const Shard& left, const Shard& right) {
    if (left.range.overlaps(right.range)) {
        report_damage("shards overlap", name_of(left) + " overlaps " + name_of(right));
    }
    if (!left.range.precedes(right.range)) {
        report_damage("shard map has a gap",
                      "no shard between " + name_of(left) + " and " + name_of(right));
    }
}

// Expects the shards in ascending order.
void check_tiling(const std::vector<Shard>& shards) {
    if (shards.empty()) {
        report_damage("shard map has no shards", "a table group owns the whole hash space");
    }
    for (const Shard& shard : shards) {
        if (shard.range.min > shard.range.max) {
            report_damage("shard has an empty range", name_of(shard));
        }
    }
    if (shards.front().range.min != kHashMin) {
        report_damage("shard map has a gap", "no shard before " + name_of(shards.front()));
    }
    for (std::size_t i = 1; i < shards.size(); ++i) {
        check_neighbours(shards[i - 1], shards[i]);
    }
    if (shards.back().range.max != kHashMax) {
        report_damage("shard map has a gap", "no shard after " + name_of(shards.back()));
    }
}

void check_ids(const std::vector<Shard>& shards) {
    std::vector<ShardId> ids;
    ids.reserve(shards.size());
    for (const Shard& shard : shards) {
        ids.push_back(shard.id);
    }
    std::sort(ids.begin(), ids.end());
    const auto twice = std::adjacent_find(ids.begin(), ids.end());
    if (twice != ids.end()) {
        report_damage("shard id is used twice", "shard " + std::to_string(twice->value));
    }
}

}  // namespace

ShardMap::ShardMap(std::vector<Shard> shards, Epoch epoch)
    : own_shards_(std::move(shards)), shards_(nullptr, 0), starts_(nullptr), epoch_(epoch) {
    auto is_before = [](const Shard& a, const Shard& b) { return a.range.min < b.range.min; };
    if (!std::is_sorted(own_shards_.begin(), own_shards_.end(), is_before)) {
        std::sort(own_shards_.begin(), own_shards_.end(), is_before);
    }
    check_tiling(own_shards_);
    check_ids(own_shards_);
    own_starts_.reserve(own_shards_.size());
    for (const Shard& shard : own_shards_) {
        own_starts_.push_back(shard.range.min);
    }
    shards_ = Shards(own_shards_.data(), own_shards_.size());
    starts_ = own_starts_.data();
}

std::size_t ShardMap::index_of(std::int64_t hash) const {
    // The first start is the smallest hash of all, so there is always one at or before `hash`.
    const auto* after = std::upper_bound(starts_, starts_ + size(), hash);
    return static_cast<std::size_t>(after - starts_) - 1;
}

std::vector<NodeId> ShardMap::nodes() const {
    std::vector<NodeId> nodes;
    for (const Shard& shard : shards_) {
        const auto place = std::lower_bound(nodes.begin(), nodes.end(), shard.node);
        if (place == nodes.end() || *place != shard.node) {
            nodes.insert(place, shard.node);
        }
    }
    return nodes;
}

std::vector<HashRange> ShardMap::ranges_of(NodeId node) const {
    std::vector<HashRange> ranges;
    for (const Shard& shard : shards_) {
        if (shard.node != node) {
            continue;
        }
        if (!ranges.empty() && ranges.back().precedes(shard.range)) {
            ranges.back().max = shard.range.max;
        } else {
            ranges.push_back(shard.range);
        }
    }
    return ranges;
}

}  // namespace herd
