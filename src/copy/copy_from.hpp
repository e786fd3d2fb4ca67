// COPY FROM into a distributed or reference table.
//
// PostgreSQL's own CopyFrom works on this server's part, fed by a callback. The callback reads the
// user's data, forwards the records of other nodes as they are, and returns the rest: one pass, and
// triggers, partitions and constraints as ever.
#pragma once

#include <cstdint>

#include "catalog/herd_catalog.hpp"
#include "copy/copy_plan.hpp"

namespace herd::copy {

// Returns the number of rows, of all servers. On error the nodes' parts have ended, too.
std::uint64_t copy_from(const CopyPlan& plan, const catalog::Table& table,
                        const catalog::Catalog& herd);

}  // namespace herd::copy
