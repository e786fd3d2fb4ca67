#include "planner/row_identity.hpp"

extern "C" {
#include "access/genam.h"
#include "access/sysattr.h"
#include "catalog/pg_index.h"
#include "utils/rel.h"
#include "utils/typcache.h"
}

namespace herd::planner {

namespace {

::Bitmapset* add_column(::Bitmapset* columns, int column) {
    return ::bms_add_member(columns, column - FirstLowInvalidHeapAttributeNumber);
}

// Whether what the index holds to be equal is what "=" says of the column.
bool has_own_equality(::Relation index, int position) {
    Oid type = TupleDescAttr(RelationGetDescr(index), position)->atttypid;
    return index->rd_opfamily[position] ==
           ::lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY)->btree_opf;
}

// The columns of an index, if no two rows have the same and none of them is NULL.
::Bitmapset* unique_columns(::Relation relation, ::Relation index) {
    ::Form_pg_index form = index->rd_index;
    if (!form->indisunique || !form->indimmediate || !form->indisvalid ||
        ::RelationGetIndexPredicate(index) != NIL) {
        return nullptr;
    }
    ::Bitmapset* columns = nullptr;
    for (int i = 0; i < form->indnkeyatts; ++i) {
        int column = form->indkey.values[i];
        if (column <= 0 || !TupleDescAttr(RelationGetDescr(relation), column - 1)->attnotnull ||
            !has_own_equality(index, i)) {
            return nullptr;
        }
        columns = add_column(columns, column);
    }
    return columns;
}

}  // namespace

::Bitmapset* row_identity(::Relation relation, bool* by_row) {
    ::Bitmapset* columns = ::RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_PRIMARY_KEY);
    ::List* indexes = columns == nullptr ? ::RelationGetIndexList(relation) : NIL;
    for (int i = 0; columns == nullptr && i < ::list_length(indexes); ++i) {
        ::Relation index = ::index_open(list_nth_oid(indexes, i), AccessShareLock);
        columns = unique_columns(relation, index);
        ::index_close(index, AccessShareLock);
    }
    *by_row = columns == nullptr;
    ::TupleDesc description = RelationGetDescr(relation);
    for (int i = 0; *by_row && i < description->natts; ++i) {
        ::Form_pg_attribute attribute = TupleDescAttr(description, i);
        if (!attribute->attisdropped && attribute->attgenerated == '\0') {
            columns = add_column(columns, attribute->attnum);
        }
    }
    return columns;
}

}  // namespace herd::planner
