// Reads a small table row by row with the newest catalogue snapshot, whatever the transaction's own
// snapshot is: the way PostgreSQL reads its catalogues.
#pragma once

#include <string>

#include "pg/guard.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "utils/builtins.h"
#include "utils/rel.h"
}

namespace herd::pg {

// Calls row(values, nulls), which may throw, for each row of the relation.
template <typename RowFunction>
void scan_table(Oid relid, RowFunction&& row) {
    ::Relation relation = nullptr;
    ::SysScanDesc scan = nullptr;
    Datum values[32];
    bool nulls[32];
    call([&] {
        relation = ::table_open(relid, AccessShareLock);
        Assert(RelationGetNumberOfAttributes(relation) <= 32);
        scan = ::systable_beginscan(relation, InvalidOid, false, nullptr, 0, nullptr);
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
