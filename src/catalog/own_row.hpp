// Whether a row belongs on this node: its key's shard is this node's.
//
// Checks are made once per statement, which ends before the catalogue's copy goes away.
#pragma once

#include "catalog/herd_catalog.hpp"
#include "pg/key_hash.hpp"
#include "routing/owned_ranges.hpp"

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

// The same as a question. Needs nothing of the catalogue's copy.
struct OwnedRows {
    pg::KeyHasher hasher;
    const HashRange* begin;  // this node's ranges, as few as there are
    const HashRange* end;
};

// All of it is allocated in the memory context.
const OwnedRows* owned_rows(const Catalog& herd, const Table& table, ::Oid key_type,
                            ::MemoryContext memory);

// Errors: those of the key's hash function. PostgreSQL style: for every row of a scan, so without a
// guard.
inline bool owns_row(const OwnedRows& owned, Datum key, bool isnull) {
    return routing::in_ranges(owned.begin, owned.end, pg::hash_key(owned.hasher, key, isnull));
}

// Whether statements over the table's rows on this server have to leave out what another node owns:
// herd.ownership_filter.
bool needs_filter(const Table& table);
// False when no table needs it, which costs nothing to ask.
bool may_need_filter();

// Whether BEFORE triggers of the table or of its partitions may give a row another key. The
// relation is open. PostgreSQL style.
bool triggers_may_change_rows(::Oid relid);

}  // namespace herd::catalog
