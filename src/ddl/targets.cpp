#include "ddl/targets.hpp"

#include "base/error.hpp"
#include "ddl/catalog_query.hpp"
#include "ddl/statement_objects.hpp"

extern "C" {
#include "access/heapam.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "parser/parse_type.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace herd::ddl {

namespace {

bool is_own_namespace(Oid schema) {
    return pg::call([&] {
        return ::isAnyTempNamespace(schema) || schema == ::get_namespace_oid("herd", true);
    });
}

// A view over a foreign table can't be made on nodes, where that table does not exist.
bool needs_foreign_table(Oid relid) {
    return !catalog_query(
                "WITH RECURSIVE uses(relid) AS ("
                " SELECT $1::oid UNION"
                " SELECT d.refobjid FROM uses u JOIN pg_rewrite r ON r.ev_class = u.relid"
                " JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
                " AND d.refclassid = 'pg_class'::regclass) "
                "SELECT 1 FROM uses JOIN pg_class c ON c.oid = uses.relid"
                " WHERE c.relkind = 'f' LIMIT 1",
                {std::to_string(relid)})
                .empty();
}

Scope scope_of_names(const ::List* names) {
    if (list_length(names) < 2) {
        return Scope::kEverywhere;
    }
    const char* schema = strVal(linitial(names));
    bool here = std::string(schema) == "herd" || std::string(schema).rfind("pg_temp", 0) == 0;
    return here ? Scope::kHere : Scope::kEverywhere;
}

Scope scope_of_type(const ::TypeName* name) {
    Oid type = pg::call([&] { return ::LookupTypeNameOid(nullptr, name, true); });
    if (!OidIsValid(type)) {
        return Scope::kMissing;
    }
    Oid schema = pg::call([&]() -> Oid {
        ::HeapTuple tuple = ::SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
        if (!HeapTupleIsValid(tuple)) {
            return InvalidOid;
        }
        Oid found = reinterpret_cast<::Form_pg_type>(GETSTRUCT(tuple))->typnamespace;
        ::ReleaseSysCache(tuple);
        return found;
    });
    return is_own_namespace(schema) ? Scope::kHere : Scope::kEverywhere;
}

// Objects that are no relations: functions, types, operators and so on.
Scope scope_of_name(::ObjectType type, const ::Node* name) {
    if (name == nullptr) {
        return Scope::kEverywhere;
    }
    if (IsA(name, List) && (type == OBJECT_TYPE || type == OBJECT_DOMAIN)) {
        const auto* names = reinterpret_cast<const ::List*>(name);
        return scope_of_type(
            pg::call([&] { return ::makeTypeNameFromNameList(const_cast<::List*>(names)); }));
    }
    switch (nodeTag(name)) {
        case T_List:
            return scope_of_names(reinterpret_cast<const ::List*>(name));
        case T_ObjectWithArgs:
            return scope_of_names(reinterpret_cast<const ::ObjectWithArgs*>(name)->objname);
        case T_TypeName:
            return scope_of_type(reinterpret_cast<const ::TypeName*>(name));
        case T_String: {
            std::string text = reinterpret_cast<const ::String*>(name)->sval;
            return text == "herd" || text == "pg_herd" ? Scope::kHere : Scope::kEverywhere;
        }
        default:
            return Scope::kEverywhere;
    }
}

bool is_dropped(const ObjectLog& log, const LoggedObject& object) {
    for (const LoggedObject& dropped : log.dropped) {
        if (dropped.classid == object.classid && dropped.objid == object.objid) {
            return true;
        }
    }
    return false;
}

}  // namespace

Scope scope_of_relation(Oid relid) {
    if (!OidIsValid(relid)) {
        return Scope::kMissing;
    }
    char kind = pg::call([&] { return ::get_rel_relkind(relid); });
    char persistence = pg::call([&] { return ::get_rel_persistence(relid); });
    Oid schema = pg::call([&] { return ::get_rel_namespace(relid); });
    if (persistence == RELPERSISTENCE_TEMP || is_own_namespace(schema) ||
        kind == RELKIND_FOREIGN_TABLE) {
        return Scope::kHere;
    }
    bool view = kind == RELKIND_VIEW || kind == RELKIND_MATVIEW;
    return view && needs_foreign_table(relid) ? Scope::kHere : Scope::kEverywhere;
}

Target resolve(const ::RangeVar* name) {
    Target target;
    target.relid = pg::call([&] { return RangeVarGetRelid(name, NoLock, true); });
    target.scope = scope_of_relation(target.relid);
    return target;
}

Scope scope_before(const ::Node* statement) {
    bool here = false;
    bool everywhere = false;
    std::vector<const ::RangeVar*> relations = relations_of(statement);
    for (const ::RangeVar* relation : relations) {
        Scope scope = resolve(relation).scope;
        here = here || scope == Scope::kHere;
        everywhere = everywhere || scope != Scope::kHere;
    }
    if (relations.empty()) {
        for (const ::Node* name : names_of(statement)) {
            Scope scope = scope_of_name(object_type_of(statement), name);
            here = here || scope == Scope::kHere;
            everywhere = everywhere || scope != Scope::kHere;
        }
    }
    if (here && everywhere) {
        throw Error(
            sqlstate::kDdlRefused,
            "this statement names both objects of every node and objects of this server alone")
            .detail(
                "Temporary objects, those of schema herd and those over foreign tables are here "
                "alone.")
            .hint("Write one statement for each of the two kinds.");
    }
    return here ? Scope::kHere : Scope::kEverywhere;
}

bool is_here_alone(const ::Node* statement) {
    const ::RangeVar* made = made_relation(statement);
    if (made != nullptr) {
        bool named =
            made->schemaname != nullptr && std::string(made->schemaname).rfind("pg_temp", 0) == 0;
        return named || made->relpersistence == RELPERSISTENCE_TEMP;
    }
    std::vector<const ::RangeVar*> relations = relations_of(statement);
    for (const ::RangeVar* relation : relations) {
        if (resolve(relation).scope != Scope::kHere) {
            return false;
        }
    }
    return !relations.empty();
}

Scope scope_of_created(const ObjectLog& log) {
    // A relation's row type is made before it.
    for (const LoggedObject& object : log.created) {
        if (object.classid == RelationRelationId && object.subid == 0 && !object.internal &&
            !is_dropped(log, object)) {
            return scope_of_relation(object.objid);
        }
    }
    for (const LoggedObject& object : log.created) {
        if (object.internal || is_dropped(log, object)) {
            continue;
        }
        ::ObjectAddress address{object.classid, object.objid, 0};
        Oid schema = pg::call([&] {
            return ::is_objectclass_supported(address.classId) ? ::get_object_namespace(&address)
                                                               : InvalidOid;
        });
        if (OidIsValid(schema)) {
            return is_own_namespace(schema) ? Scope::kHere : Scope::kEverywhere;
        }
    }
    return Scope::kMissing;
}

}  // namespace herd::ddl
