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

// Owner of the key is this node. Errors: those of the key's hash function. PostgreSQL style: for
// every row of a scan, so without a guard.
inline bool owns_row(const OwnRowCheck& check, Datum key, bool isnull) {
    std::int64_t hash = pg::hash_key(check.hasher, key, isnull);
    return check.table->group->map.owner(hash).node == check.herd->self;
}

// Errors: kKeyUpdate when another node owns the key.
void require_own_row(const OwnRowCheck& check, Datum key, bool isnull);

// Whether statements over the table's rows on this server have to leave out what another node owns:
// herd.ownership_filter.
bool needs_filter(const Table& table);
// False when no table needs it, which costs nothing to ask.
bool may_need_filter();

// Whether BEFORE triggers of the table or of its partitions may give a row another key. The
// relation is open. PostgreSQL style.
bool triggers_may_change_rows(::Oid relid);

}  // namespace herd::catalog
