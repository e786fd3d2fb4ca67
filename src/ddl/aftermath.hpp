// What a utility statement means for the herd's own catalogue and rules, once PostgreSQL has run
// it.
#pragma once

#include <vector>

#include "catalog/herd_catalog.hpp"
#include "ddl/object_log.hpp"

namespace herd::ddl {

// On every server: dropped tables leave the herd's catalogue, and a group leaves with its last
// table; so do functions that were declared pushable. Throws kDdlRefused when a distribution key
// was dropped with its type.
void forget_dropped(const catalog::Catalog& before, const ObjectLog& log);

// On every server: a partition that leaves its root stays distributed, by the same key.
void keep_detached(const catalog::Table& partition);
// And one that comes to a root has no row of its own any more.
void forget_attached(unsigned int relid);

// On the coordinator: every table that the statement has touched can still be served.
void check_touched(const ObjectLog& log, const std::vector<::Oid>& targets);

}  // namespace herd::ddl
