// Whether a row belongs on this node: its key's shard is this node's.
//
// Checks are made once per statement, which ends before the catalogue's copy goes away.
#pragma once

#include "catalog/herd_catalog.hpp"
#include "pg/key_hash.hpp"

namespace herd::catalog {

struct OwnRowCheck {
    const Catalog* herd;
    const Table* table;
    pg::KeyHasher hasher;
};

// table: a distributed one, or its partition; key_type: of the values that will be checked.
// PostgreSQL style.
OwnRowCheck own_row_check(const Catalog& herd, const Table& table, ::Oid key_type);

// Errors: kKeyUpdate when another node owns the key.
void require_own_row(const OwnRowCheck& check, Datum key, bool isnull);

// Whether BEFORE triggers of the table or of its partitions may give a row another key. The
// relation is open. PostgreSQL style.
bool triggers_may_change_rows(::Oid relid);

}  // namespace herd::catalog
