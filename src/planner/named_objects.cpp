#include "planner/named_objects.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/table.h"
#include "access/transam.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "parser/parsetree.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace herd::planner {

namespace {

void add_type(::List** types, Oid type) {
    if (type >= FirstNormalObjectId) {
        *types = ::list_append_unique_oid(*types, type);
    }
}

// Texts of an INSERT name the types of columns that the statement does not.
void add_columns(::List** types, const ::RangeTblEntry* target) {
    ::Relation relation = ::table_open(target->relid, NoLock);
    ::TupleDesc description = RelationGetDescr(relation);
    for (int i = 0; i < description->natts; ++i) {
        add_type(types, TupleDescAttr(description, i)->atttypid);
    }
    ::table_close(relation, NoLock);
}

bool collect(::Node* node, void* argument) {
    auto* types = static_cast<::List**>(argument);
    if (node == nullptr) {
        return false;
    }
    switch (nodeTag(node)) {
        case T_Query: {
            auto* query = reinterpret_cast<::Query*>(node);
            if (query->resultRelation != 0) {
                const ::RangeTblEntry* target = rt_fetch(query->resultRelation, query->rtable);
                if (target->rtekind == RTE_RELATION) {
                    add_columns(types, target);
                }
            }
            return pg::compat::walk_query(query, collect, argument, 0);
        }
        case T_Var:
        case T_Const:
        case T_Param:
        case T_FuncExpr:
        case T_RelabelType:
        case T_CoerceViaIO:
        case T_ArrayCoerceExpr:
        case T_ConvertRowtypeExpr:
        case T_CoerceToDomain:
        case T_ArrayExpr:
        case T_RowExpr:
            add_type(types, ::exprType(node));
            break;
        default:
            break;
    }
    return pg::compat::walk_expression(node, collect, argument);
}

// Objects that seldom change, whose names are in too many places to look for: labels of enums,
// collations, text search configurations and dictionaries. PostgreSQL's plan cache, which knows
// none of them, takes a change for one of a type that there is not.
constexpr int kSeldomChanged[] = {ENUMOID, COLLOID, TSCONFIGOID, TSDICTOID};
constexpr uint32 kNoType = 0x6865'7264;

void on_change(Datum, int, uint32) {
    ::CallSyscacheCallbacks(TYPEOID, kNoType);
}

::PlanInvalItem* type_item(uint32 hash) {
    auto* item = makeNode(PlanInvalItem);
    item->cacheId = TYPEOID;
    item->hashValue = hash;
    return item;
}

}  // namespace

::List* named_objects(::Query* query) {
    ::List* types = NIL;
    (void)collect(reinterpret_cast<::Node*>(query), &types);
    ::List* items = ::list_make1(type_item(kNoType));
    for (int i = 0; i < ::list_length(types); ++i) {
        Datum type = ObjectIdGetDatum(::list_nth_oid(types, i));
        items = ::lappend(items, type_item(GetSysCacheHashValue1(TYPEOID, type)));
    }
    return items;
}

void initialize_named_objects() {
    for (int cache : kSeldomChanged) {
        ::CacheRegisterSyscacheCallback(cache, on_change, Datum{0});
    }
}

}  // namespace herd::planner
