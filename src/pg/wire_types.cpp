#include "pg/wire_types.hpp"

#include <unordered_map>

#include "pg/plan_settings.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
}

namespace herd::pg {

namespace {

bool holds_name(Oid type) {
    switch (type) {
        case REGCLASSOID:
        case REGCOLLATIONOID:
        case REGCONFIGOID:
        case REGDICTIONARYOID:
        case REGNAMESPACEOID:
        case REGOPEROID:
        case REGOPERATOROID:
        case REGPROCOID:
        case REGPROCEDUREOID:
        case REGROLEOID:
        case REGTYPEOID:
            return true;
        default:
            return false;
    }
}

bool holds_local_number(Oid type) {
    switch (type) {
        case OIDOID:
        case OIDVECTOROID:
        case XIDOID:
        case XID8OID:
        case CIDOID:
        case TIDOID:
        case PG_SNAPSHOTOID:
        case TXID_SNAPSHOTOID:
        case ACLITEMOID:
            return true;
        default:
            return false;
    }
}

bool has_local_attribute(Oid type) {
    ::TupleDesc columns = ::lookup_rowtype_tupdesc_noerror(type, -1, true);
    if (columns == nullptr) {
        return true;
    }
    bool local = false;
    for (int i = 0; i < columns->natts && !local; ++i) {
        Form_pg_attribute attribute = TupleDescAttr(columns, i);
        local = !attribute->attisdropped && has_local_value_type(attribute->atttypid);
    }
    ReleaseTupleDesc(columns);
    return local;
}

// Built in, but the receive function only says that it can't.
bool refuses_binary(Oid type) {
    switch (type) {
        case PG_NODE_TREEOID:
        case PG_NDISTINCTOID:
        case PG_DEPENDENCIESOID:
        case PG_MCV_LISTOID:
        case PG_BRIN_BLOOM_SUMMARYOID:
        case PG_BRIN_MINMAX_MULTI_SUMMARYOID:
        case UNKNOWNOID:
            return true;
        default:
            return false;
    }
}

bool has_binary_functions(Oid type) {
    ::HeapTuple tuple = ::SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(tuple)) {
        return false;
    }
    auto* row = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
    bool both = OidIsValid(row->typsend) && OidIsValid(row->typreceive);
    ::ReleaseSysCache(tuple);
    return both;
}

bool built_in_is_portable(Oid type) {
    if (refuses_binary(type) || !has_binary_functions(type)) {
        return false;
    }
    Oid element = ::get_element_type(type);
    if (OidIsValid(element)) {
        return built_in_is_portable(element);
    }
    switch (::get_typtype(type)) {
        case TYPTYPE_BASE:
            return !has_local_value_type(type);
        case TYPTYPE_RANGE:
            return built_in_is_portable(::get_range_subtype(type));
        case TYPTYPE_MULTIRANGE:
            return built_in_is_portable(::get_multirange_range(type));
        default:
            return false;
    }
}

}  // namespace

bool has_local_value_type(Oid type) {
    if (holds_name(type) || holds_local_number(type)) {
        return true;
    }
    Oid element = ::get_element_type(type);
    if (OidIsValid(element)) {
        return has_local_value_type(element);
    }
    switch (::get_typtype(type)) {
        case TYPTYPE_PSEUDO:
            return true;
        case TYPTYPE_DOMAIN:
            return has_local_value_type(::getBaseType(type));
        case TYPTYPE_RANGE:
            return has_local_value_type(::get_range_subtype(type));
        case TYPTYPE_MULTIRANGE:
            return has_local_value_type(::get_multirange_range(type));
        case TYPTYPE_COMPOSITE:
            return has_local_attribute(type);
        default:
            return false;
    }
}

bool crosses_by_name(Oid type) {
    Oid element = ::get_element_type(type);
    return holds_name(OidIsValid(element) ? element : type);
}

bool binary_is_portable(Oid type) {
    static auto& known = *new std::unordered_map<Oid, bool>;
    if (!binary_enabled() || type >= FirstNormalObjectId) {
        return false;
    }
    auto entry = known.find(type);
    if (entry == known.end()) {
        entry = known.emplace(type, built_in_is_portable(type)).first;
    }
    return entry->second;
}

bool binary_is_stored(Oid type) {
    Oid base = ::getBaseType(type);
    return binary_is_portable(base) || (binary_enabled() && ::get_typtype(base) == TYPTYPE_ENUM);
}

}  // namespace herd::pg
