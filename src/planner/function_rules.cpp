#include "planner/function_rules.hpp"

#include <cstring>

#include "catalog/pushable.hpp"
#include "pg/compat.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace herd::planner {

namespace {

bool begins_with(const char* name, const char* prefix) {
    return std::strncmp(name, prefix, std::strlen(prefix)) == 0;
}

// Volatile, but the same on every server: chance, waiting and the wall clock.
bool is_harmless_volatile(Oid function) {
    switch (function) {
        case F_RANDOM:
        case F_GEN_RANDOM_UUID:
        case F_CLOCK_TIMESTAMP:
        case F_TIMEOFDAY:
        case F_PG_SLEEP:
        case F_PG_SLEEP_FOR:
        case F_PG_SLEEP_UNTIL:
            return true;
        default:
            return false;
    }
}

// Stable functions that look at the server they run on: its catalogues, files, sessions,
// transactions. The names tell them from those that depend on forwarded settings only (to_char,
// concat, casts).
bool looks_at_server(Oid function) {
    constexpr const char* kPrefixes[] = {
        "pg_",
        "has_",
        "txid_",
        "inet_",
        "reg",
        "to_reg",
        "current_",
        "query_to_",
        "table_to_",
        "schema_to_",
        "database_to_",
        "cursor_to",
        "obj_",
        "col_description",
        "shobj_",
        "format_type",
        "row_security_",
        "aclitem",
        "mxid_age",
        "ts_debug",
        "ts_parse",
        "ts_token_type",
        "_pg_index_position",
    };
    constexpr const char* kPortable[] = {
        "pg_typeof",
        "pg_column_size",
        "pg_column_compression",
        "pg_collation_for",
    };
    // One argument: the difference from this server's today.
    if (function == F_AGE_TIMESTAMP || function == F_AGE_TIMESTAMPTZ || function == F_AGE_XID) {
        return true;
    }
    const char* name = ::get_func_name(function);
    for (const char* portable : kPortable) {
        if (std::strcmp(name, portable) == 0) {
            return false;
        }
    }
    for (const char* prefix : kPrefixes) {
        if (begins_with(name, prefix)) {
            return true;
        }
    }
    return false;
}

bool is_shippable_builtin(Oid function) {
    switch (::func_volatile(function)) {
        case PROVOLATILE_IMMUTABLE:
            return true;
        case PROVOLATILE_STABLE:
            return !looks_at_server(function);
        default:
            return is_harmless_volatile(function);
    }
}

bool is_extension_code(Oid function) {
    ::HeapTuple tuple = ::SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) {
        return false;
    }
    Oid language = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->prolang;
    ::ReleaseSysCache(tuple);
    return (language == ClanguageId || language == INTERNALlanguageId) &&
           OidIsValid(::getExtensionOfObject(ProcedureRelationId, function));
}

bool is_shippable_part(Oid function, bool writes) {
    return !OidIsValid(function) || is_shippable_function(function, writes);
}

bool is_shippable_aggregate(Oid function, bool writes) {
    ::HeapTuple tuple = ::SearchSysCache1(AGGFNOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) {
        return false;
    }
    auto row = *reinterpret_cast<Form_pg_aggregate>(GETSTRUCT(tuple));
    ::ReleaseSysCache(tuple);
    const Oid parts[] = {row.aggtransfn,    row.aggfinalfn,  row.aggcombinefn,   row.aggserialfn,
                         row.aggdeserialfn, row.aggmtransfn, row.aggminvtransfn, row.aggmfinalfn};
    for (Oid part : parts) {
        if (!is_shippable_part(part, writes)) {
            return false;
        }
    }
    return true;
}

bool is_in_language(Oid function, void*) {
    if (function < FirstNormalObjectId) {
        return false;
    }
    ::HeapTuple tuple = ::SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) {
        return false;
    }
    auto* form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    // An aggregate names no language of its own.
    bool may = form->prokind == PROKIND_AGGREGATE ||
               (form->prolang != INTERNALlanguageId && form->prolang != ClanguageId);
    ::ReleaseSysCache(tuple);
    return may;
}

bool runs_statements(::Node* node, void* context) {
    if (node == nullptr) {
        return false;
    }
    // A domain's constraints may call anything.
    if (IsA(node, CoerceToDomain) || ::check_functions_in_node(node, is_in_language, context)) {
        return true;
    }
    if (IsA(node, Query)) {
        return pg::compat::walk_query(reinterpret_cast<::Query*>(node), runs_statements, context,
                                      0);
    }
    return pg::compat::walk_expression(node, runs_statements, context);
}

}  // namespace

bool may_run_statements(const ::Query* query) {
    return runs_statements(reinterpret_cast<::Node*>(const_cast<::Query*>(query)), nullptr);
}

bool is_shippable_function(Oid function, bool writes) {
    if (function < FirstNormalObjectId) {
        return is_shippable_builtin(function);
    }
    char volatility = ::func_volatile(function);
    if (::get_func_prokind(function) == PROKIND_AGGREGATE &&
        is_shippable_aggregate(function, writes)) {
        return true;
    }
    if (volatility != PROVOLATILE_VOLATILE && (writes || is_extension_code(function))) {
        return true;
    }
    return catalog::is_pushable(function);
}

}  // namespace herd::planner
