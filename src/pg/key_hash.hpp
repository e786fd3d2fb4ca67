// The hash that places a row: the key type's own extended hash function, seed 0.
//
//   KeyHasher hasher = key_hasher(type, collation);      // look-ups: once per statement
//   std::int64_t hash = hash_key(hasher, value, isnull); // per row
//
// A NULL key has hash 0, so that such rows have one place like any other.
// PostgreSQL style: these functions may ereport; call them under pg::call from C++.
#pragma once

#include <cstdint>

#include "pg/guard.hpp"

namespace herd::pg {

struct KeyHasher {
    ::FmgrInfo* hash = nullptr;  // lives as long as the backend
    Oid collation = InvalidOid;
};

constexpr std::int64_t kHashOfNull = 0;

// Errors: 42883 for a type that has no extended hash function.
KeyHasher key_hasher(Oid type, Oid collation);

// Whether values of the type have a hash that is the same on every server: not for types without an
// extended hash function, nor for those that hash an OID (enum, regclass ...), alone or inside an
// array, range or row.
enum class KeyFitness { kFit, kNoHash, kHashesOid };
KeyFitness key_fitness(Oid type);

// Whether equal values of both types have equal hashes (int4 and int8, text and varchar).
bool same_hash(Oid one, Oid other);

inline std::int64_t hash_key(const KeyHasher& hasher, Datum value, bool isnull) {
    if (isnull) {
        return kHashOfNull;
    }
    return DatumGetInt64(
        ::FunctionCall2Coll(hasher.hash, hasher.collation, value, Int64GetDatum(0)));
}

}  // namespace herd::pg
