#include "pg/key_hash.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/transam.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"
}

namespace herd::pg {

namespace {

bool has_hash(Oid type) {
    ::TypeCacheEntry* entry = ::lookup_type_cache(type, TYPECACHE_HASH_EXTENDED_PROC);
    return OidIsValid(entry->hash_extended_proc);
}

bool is_oid_alias(Oid type) {
    switch (type) {
        case REGPROCOID:
        case REGPROCEDUREOID:
        case REGOPEROID:
        case REGOPERATOROID:
        case REGCLASSOID:
        case REGCOLLATIONOID:
        case REGTYPEOID:
        case REGROLEOID:
        case REGNAMESPACEOID:
        case REGCONFIGOID:
        case REGDICTIONARYOID:
            return true;
        default:
            return false;
    }
}

bool hashes_oid(Oid type);

bool row_hashes_oid(Oid type) {
    ::TupleDesc columns = ::lookup_rowtype_tupdesc_copy(type, -1);
    for (int i = 0; i < columns->natts; ++i) {
        Form_pg_attribute column = TupleDescAttr(columns, i);
        if (!column->attisdropped && hashes_oid(column->atttypid)) {
            return true;
        }
    }
    return false;
}

bool hashes_oid(Oid type) {
    Oid base = ::getBaseType(type);
    if (is_oid_alias(base)) {
        return true;
    }
    Oid element = ::get_element_type(base);
    if (OidIsValid(element)) {
        return hashes_oid(element);
    }
    switch (::get_typtype(base)) {
        case TYPTYPE_ENUM:
            return true;
        case TYPTYPE_RANGE:
            return hashes_oid(::get_range_subtype(base));
        case TYPTYPE_MULTIRANGE:
            return hashes_oid(::get_multirange_range(base));
        case TYPTYPE_COMPOSITE:
            return row_hashes_oid(base);
        default:
            return false;
    }
}

}  // namespace

KeyHasher key_hasher(Oid type, Oid collation) {
    // Statements come one after another with the same, and nothing happens to a built-in type.
    static Oid last_type = InvalidOid;
    static ::FmgrInfo* last_hash = nullptr;
    if (type == last_type) {
        return KeyHasher{last_hash, collation};
    }
    ::TypeCacheEntry* entry =
        ::lookup_type_cache(::getBaseType(type), TYPECACHE_HASH_EXTENDED_PROC_FINFO);
    if (!OidIsValid(entry->hash_extended_proc_finfo.fn_oid)) {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
                        errmsg("could not identify an extended hash function for type %s",
                               ::format_type_be(type))));
    }
    if (type < FirstNormalObjectId) {
        last_type = type;
        last_hash = &entry->hash_extended_proc_finfo;
    }
    return KeyHasher{&entry->hash_extended_proc_finfo, collation};
}

KeyFitness key_fitness(Oid type) {
    Oid base = ::getBaseType(type);
    // A row type of its own name only: anonymous records have no fixed columns.
    if (base == RECORDOID || base == RECORDARRAYOID || !has_hash(base)) {
        return KeyFitness::kNoHash;
    }
    return hashes_oid(base) ? KeyFitness::kHashesOid : KeyFitness::kFit;
}

bool same_hash(Oid one, Oid other) {
    Oid first = ::getBaseType(one);
    Oid second = ::getBaseType(other);
    if (first == second) {
        return true;
    }
    ::TypeCacheEntry* a = ::lookup_type_cache(first, TYPECACHE_HASH_OPFAMILY);
    ::TypeCacheEntry* b = ::lookup_type_cache(second, TYPECACHE_HASH_OPFAMILY);
    return OidIsValid(a->hash_opf) && a->hash_opf == b->hash_opf;
}

}  // namespace herd::pg
