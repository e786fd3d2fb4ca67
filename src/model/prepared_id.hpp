// The global id of a transaction that the herd prepared on a node:
// "herd:<cluster id>:<term>:<node id>:<transaction id>:<run>". It says all that recovery has to
// know: whose it is, which term of the coordinator decides, and which transaction of the
// coordinator to ask for. The node is in it because two nodes may be databases of one server, where
// such ids are unique; the coordinator's run because after a crash PostgreSQL hands out transaction
// ids again that no flushed WAL record had.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"

namespace herd {

struct PreparedId {
    std::string cluster_id;
    std::int64_t term = 0;
    NodeId node;
    std::uint64_t xid = 0;  // the coordinator's full transaction id
    std::uint64_t run = 0;  // of the coordinator's server, from its start to its end or crash

    [[nodiscard]] std::string text() const;
};

// What the ids of one cluster begin with.
std::string prepared_id_prefix(const std::string& cluster_id);

// Nothing for whatever was not made by text().
std::optional<PreparedId> parse_prepared_id(std::string_view text);

}  // namespace herd
