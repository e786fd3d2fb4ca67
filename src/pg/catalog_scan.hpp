// Reads a small table row by row with the newest catalogue snapshot, whatever the transaction's own
// snapshot is: the way PostgreSQL reads its catalogues.
#pragma once

#include <cstdint>
#include <string>

#include "pg/guard.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace herd::pg {

// Which rows to read: those whose indexed int4 column has the value; and how the table stood at
// the snapshot, if one is given.
struct ScanKey {
    Oid index = InvalidOid;
    std::int16_t column = 0;
    std::int32_t value = 0;
    ::Snapshot snapshot = nullptr;
};

// Calls row(values, nulls), which may throw, for each row of the relation that the key, if any,
// picks: in the order of its index then.
template <typename RowFunction>
void scan_table(Oid relid, RowFunction&& row, const ScanKey& key = {}) {
    ::Relation relation = nullptr;
    ::SysScanDesc scan = nullptr;
    ::ScanKeyData scan_key{};
    Datum values[32];
    bool nulls[32];
    call([&] {
        relation = ::table_open(relid, AccessShareLock);
        Assert(RelationGetNumberOfAttributes(relation) <= 32);
        bool indexed = OidIsValid(key.index);
        if (indexed) {
            ::ScanKeyInit(&scan_key, key.column, BTEqualStrategyNumber, F_INT4EQ,
                          Int32GetDatum(key.value));
        }
        scan = ::systable_beginscan(relation, key.index, indexed, key.snapshot, indexed ? 1 : 0,
                                    &scan_key);
    });
    while (call([&] {
        ::HeapTuple tuple = ::systable_getnext(scan);
        if (HeapTupleIsValid(tuple)) {
            ::heap_deform_tuple(tuple, RelationGetDescr(relation), values, nulls);
        }
        return HeapTupleIsValid(tuple);
    })) {
        row(static_cast<const Datum*>(values), static_cast<const bool*>(nulls));
    }
    call([&] {
        ::systable_endscan(scan);
        ::table_close(relation, AccessShareLock);
    });
}

// A text-like Datum as a std::string.
inline std::string text_of(Datum datum) {
    ::text* packed =
        call([&] { return pg_detoast_datum_packed(reinterpret_cast<::varlena*>(datum)); });
    return {VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed)};
}

}  // namespace herd::pg
