// What is refused before PostgreSQL begins: statements whose failure would come late or cost much,
// and those that nothing in the catalogue shows afterwards.
#pragma once

#include "catalog/herd_catalog.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace herd::ddl {

// Throws kDdlRefused, with a hint that says what to do instead.
void refuse_before(const catalog::Catalog& herd, const ::Node* statement);

// CREATE TABLE ... (LIKE ...) of what no node has.
void refuse_like(const ::Node* statement);

}  // namespace herd::ddl
