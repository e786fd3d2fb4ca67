#include "catalog/pushable.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace herd::catalog {

bool is_pushable(Oid function) {
    Oid schema = ::get_namespace_oid("herd", true);
    Oid relid = OidIsValid(schema) ? ::get_relname_relid("pushable_function", schema) : InvalidOid;
    if (!OidIsValid(relid)) {
        return false;
    }
    ::Relation table = ::table_open(relid, AccessShareLock);
    ::ScanKeyData key;
    ::ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(function));
    Oid index = ::RelationGetPrimaryKeyIndex(table);
    ::SysScanDesc scan = ::systable_beginscan(table, index, OidIsValid(index), nullptr, 1, &key);
    bool found = HeapTupleIsValid(::systable_getnext(scan));
    ::systable_endscan(scan);
    ::table_close(table, AccessShareLock);
    return found;
}

}  // namespace herd::catalog
