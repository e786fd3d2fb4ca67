// Strong ids: a node's number is not a shard's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace herd {

template <typename Tag, typename Value>
struct Id {
    Value value{};

    constexpr Id() = default;
    constexpr explicit Id(Value v) : value(v) {}
    constexpr bool operator==(Id other) const { return value == other.value; }
    constexpr bool operator!=(Id other) const { return value != other.value; }
    constexpr bool operator<(Id other) const { return value < other.value; }
};

using NodeId = Id<struct NodeIdTag, std::int32_t>;
using ServerId = Id<struct ServerTag, std::int32_t>;
using ShardId = Id<struct ShardTag, std::int64_t>;
using GroupId = Id<struct GroupTag, std::int32_t>;
using Epoch = Id<struct EpochTag, std::int64_t>;

// The server where users connect is always this node.
constexpr NodeId kCoordinator{1};

}  // namespace herd

template <typename Tag, typename Value>
struct std::hash<herd::Id<Tag, Value>> {
    std::size_t operator()(herd::Id<Tag, Value> id) const noexcept {
        return std::hash<Value>{}(id.value);
    }
};
