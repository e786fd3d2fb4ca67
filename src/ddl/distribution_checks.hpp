// Whether a table can be served as a distributed or reference table, judged by PostgreSQL's
// catalogue as it stands: unique constraints, foreign keys, rules, inheritance, persistence, the
// key.
//
// herd.distribute asks before it enters a table (with kNotDistributable), DDL asks after it has
// changed one (with kDdlRefused). Each refusal says what to do instead.
#pragma once

#include "base/sqlstate.hpp"
#include "catalog/herd_catalog.hpp"

namespace herd::ddl {

// `table` need not be in the catalogue yet. A partition is checked by itself, not with its root.
void check_servable(const catalog::Catalog& herd, const catalog::Table& table, SqlState state);

// An ordinary table must not depend on rows that other nodes hold.
void check_ordinary(const catalog::Catalog& herd, unsigned int relid);

}  // namespace herd::ddl
