// herd.cursor_row, row_place, row_table: what planner/current_row.cpp makes of WHERE CURRENT OF.
// A row travels as "<node> <ctid> <table>".
#include <cstring>

#include "executor/cursor_scan.hpp"
#include "pg/guard.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/internal.hpp"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"
}

namespace herd::api {
namespace {

struct Row {
    int node;
    ::ItemPointer place;
    char* table;
};

// PostgreSQL style.
Row parse(char* text) {
    char* place = std::strchr(text, ' ');
    char* table = place == nullptr ? nullptr : std::strchr(place + 1, ' ');
    if (table == nullptr) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                        errmsg("\"%s\" is no row of a cursor", text)));
    }
    *place++ = '\0';
    *table++ = '\0';
    return {::pg_strtoint32(text),
            reinterpret_cast<::ItemPointer>(
                DatumGetPointer(DirectFunctionCall1(tidin, CStringGetDatum(place)))),
            table};
}

Oid table_named(const char* name) {
    ::List* names = ::textToQualifiedNameList(::cstring_to_text(name));
    return ::RangeVarGetRelid(::makeRangeVarFromNameList(names), NoLock, false);
}

Datum find_row(::FunctionCallInfo fcinfo, bool* found) {
    char* cursor = ::text_to_cstring(PG_GETARG_TEXT_PP(0));
    std::optional<executor::CursorRow> row = executor::row_of_cursor(cursor, PG_GETARG_OID(1));
    *found = row.has_value();
    if (!row) {
        return 0;
    }
    const char* table = ::quote_qualified_identifier(
        ::get_namespace_name(::get_rel_namespace(row->table)), ::get_rel_name(row->table));
    const char* place = DatumGetCString(DirectFunctionCall1(tidout, PointerGetDatum(&row->row)));
    return CStringGetTextDatum(::psprintf("%d %s %s", row->node.value, place, table));
}

// Rights on a partition are those on its table.
void require_rights(Oid relid) {
    Oid root =
        ::get_rel_relispartition(relid) ? llast_oid(::get_partition_ancestors(relid)) : relid;
    if (::pg_class_aclmask(root, transaction::holder_of_rights(),
                           ACL_SELECT | ACL_UPDATE | ACL_DELETE, ACLMASK_ANY) == 0) {
        ::aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, ::get_rel_name(root));
    }
}

::ItemPointer latest_place(const Row& row) {
    ::Relation relation = ::table_open(table_named(row.table), AccessShareLock);
    require_rights(RelationGetRelid(relation));
    ::TableScanDesc scan = ::table_beginscan_tid(relation, ::GetActiveSnapshot());
    ::table_tuple_get_latest_tid(scan, row.place);
    table_endscan(scan);
    ::table_close(relation, NoLock);
    return row.place;
}

}  // namespace
}  // namespace herd::api

HERD_SQL_FUNCTION(herd_cursor_row) {
    bool found = false;
    Datum row = herd::pg::call([&] { return herd::api::find_row(fcinfo, &found); });
    if (!found) {
        PG_RETURN_NULL();
    }
    return row;
}

HERD_SQL_FUNCTION(herd_row_place) {
    using namespace herd;
    int self = transaction::require_herd().self.value;
    ::ItemPointer place = pg::call([&] {
        api::Row row = api::parse(::text_to_cstring(PG_GETARG_TEXT_PP(0)));
        return row.node == self ? api::latest_place(row) : nullptr;
    });
    if (place == nullptr) {
        PG_RETURN_NULL();
    }
    PG_RETURN_POINTER(place);
}

HERD_SQL_FUNCTION(herd_row_table) {
    using namespace herd;
    Oid table = pg::call([&] {
        return api::table_named(api::parse(::text_to_cstring(PG_GETARG_TEXT_PP(0))).table);
    });
    PG_RETURN_OID(table);
}
