// The herd's own tables and indexes, by name.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "utils/lsyscache.h"
}

namespace herd::catalog {

// InvalidOid where the extension is not installed.
inline ::Oid herd_relation(const char* name) {
    return pg::call([&] {
        ::Oid schema = ::get_namespace_oid("herd", true);
        return OidIsValid(schema) ? ::get_relname_relid(name, schema) : InvalidOid;
    });
}

}  // namespace herd::catalog
