// Which objects the statements of PostgreSQL's grammar name, and where in their trees.
#include "ddl/statement_objects.hpp"

#include <string>

extern "C" {
#include "catalog/namespace.h"
#include "commands/defrem.h"
}

namespace herd::ddl {

namespace {

bool is_relation_type(::ObjectType type) {
    switch (type) {
        case OBJECT_TABLE:
        case OBJECT_VIEW:
        case OBJECT_MATVIEW:
        case OBJECT_INDEX:
        case OBJECT_SEQUENCE:
        case OBJECT_FOREIGN_TABLE:
            return true;
        default:
            return false;
    }
}

// Objects named by their table's name and one more.
bool is_part_of_relation(::ObjectType type) {
    switch (type) {
        case OBJECT_COLUMN:
        case OBJECT_TABCONSTRAINT:
        case OBJECT_TRIGGER:
        case OBJECT_RULE:
        case OBJECT_POLICY:
            return true;
        default:
            return false;
    }
}

const ::RangeVar* relation_in_name(::ObjectType type, const ::Node* name) {
    if (name == nullptr || !IsA(name, List)) {
        return nullptr;
    }
    const auto* names = reinterpret_cast<const ::List*>(name);
    if (is_relation_type(type)) {
        return as_relation(name);
    }
    if (is_part_of_relation(type) && list_length(names) > 1) {
        ::List* relation =
            pg::call([&] { return ::list_truncate(::list_copy(names), list_length(names) - 1); });
        return as_relation(reinterpret_cast<const ::Node*>(relation));
    }
    return nullptr;
}

void append_relations(std::vector<const ::RangeVar*>& found, const ::List* relations) {
    for (int i = 0; i < list_length(relations); ++i) {
        const auto* relation = static_cast<const ::Node*>(list_nth(relations, i));
        if (IsA(relation, RangeVar)) {
            found.push_back(reinterpret_cast<const ::RangeVar*>(relation));
        }
    }
}

// The one relation that the statement names.
const ::RangeVar* relation_of(const ::Node* statement) {
    switch (nodeTag(statement)) {
        case T_AlterTableStmt:
            return as<::AlterTableStmt>(statement)->relation;
        case T_RenameStmt:
            return as<::RenameStmt>(statement)->relation;
        case T_AlterObjectSchemaStmt:
            return as<::AlterObjectSchemaStmt>(statement)->relation;
        case T_AlterOwnerStmt:
            return as<::AlterOwnerStmt>(statement)->relation;
        case T_AlterObjectDependsStmt:
            return as<::AlterObjectDependsStmt>(statement)->relation;
        case T_IndexStmt:
            return as<::IndexStmt>(statement)->relation;
        case T_CreateTrigStmt:
            return as<::CreateTrigStmt>(statement)->relation;
        case T_RuleStmt:
            return as<::RuleStmt>(statement)->relation;
        case T_CreatePolicyStmt:
            return as<::CreatePolicyStmt>(statement)->table;
        case T_AlterPolicyStmt:
            return as<::AlterPolicyStmt>(statement)->table;
        case T_AlterSeqStmt:
            return as<::AlterSeqStmt>(statement)->sequence;
        case T_ClusterStmt:
            return as<::ClusterStmt>(statement)->relation;
        case T_ReindexStmt:
            return as<::ReindexStmt>(statement)->relation;
        default:
            return nullptr;
    }
}

// Relations in statements that take a list of them.
const ::List* relation_list_of(const ::Node* statement) {
    switch (nodeTag(statement)) {
        case T_CreateStatsStmt:
            return as<::CreateStatsStmt>(statement)->relations;
        case T_TruncateStmt:
            return as<::TruncateStmt>(statement)->relations;
        case T_LockStmt:
            return as<::LockStmt>(statement)->relations;
        case T_GrantStmt: {
            const auto* grant = as<::GrantStmt>(statement);
            bool relations = grant->objtype == OBJECT_TABLE || grant->objtype == OBJECT_SEQUENCE;
            return relations && grant->targtype == ACL_TARGET_OBJECT ? grant->objects : NIL;
        }
        default:
            return NIL;
    }
}

}  // namespace

const ::RangeVar* as_relation(const ::Node* name) {
    if (name == nullptr || !IsA(name, List)) {
        return nullptr;
    }
    const auto* names = reinterpret_cast<const ::List*>(name);
    return pg::call([&] { return ::makeRangeVarFromNameList(const_cast<::List*>(names)); });
}

std::vector<const ::Node*> names_of(const ::Node* statement) {
    std::vector<const ::Node*> names;
    switch (nodeTag(statement)) {
        case T_DropStmt: {
            const ::List* objects = as<::DropStmt>(statement)->objects;
            for (int i = 0; i < list_length(objects); ++i) {
                names.push_back(static_cast<const ::Node*>(list_nth(objects, i)));
            }
            break;
        }
        case T_CommentStmt:
            names.push_back(as<::CommentStmt>(statement)->object);
            break;
        case T_SecLabelStmt:
            names.push_back(as<::SecLabelStmt>(statement)->object);
            break;
        case T_RenameStmt:
            names.push_back(as<::RenameStmt>(statement)->object);
            break;
        case T_AlterObjectSchemaStmt:
            names.push_back(as<::AlterObjectSchemaStmt>(statement)->object);
            break;
        case T_AlterOwnerStmt:
            names.push_back(as<::AlterOwnerStmt>(statement)->object);
            break;
        case T_AlterObjectDependsStmt:
            names.push_back(as<::AlterObjectDependsStmt>(statement)->object);
            break;
        case T_AlterFunctionStmt: {
            const auto* function = as<::AlterFunctionStmt>(statement)->func;
            names.push_back(reinterpret_cast<const ::Node*>(function));
            break;
        }
        case T_AlterEnumStmt: {
            const ::List* type = as<::AlterEnumStmt>(statement)->typeName;
            names.push_back(reinterpret_cast<const ::Node*>(type));
            break;
        }
        case T_AlterTypeStmt: {
            const ::List* type = as<::AlterTypeStmt>(statement)->typeName;
            names.push_back(reinterpret_cast<const ::Node*>(type));
            break;
        }
        case T_AlterDomainStmt: {
            const ::List* type = as<::AlterDomainStmt>(statement)->typeName;
            names.push_back(reinterpret_cast<const ::Node*>(type));
            break;
        }
        default:
            break;
    }
    return names;
}

std::vector<const ::RangeVar*> relations_of(const ::Node* statement) {
    std::vector<const ::RangeVar*> found;
    append_relations(found, relation_list_of(statement));
    const ::RangeVar* one = relation_of(statement);
    if (one != nullptr) {
        found.push_back(one);
    }
    for (const ::Node* name : names_of(statement)) {
        const ::RangeVar* relation = relation_in_name(object_type_of(statement), name);
        if (relation != nullptr) {
            found.push_back(relation);
        }
    }
    return found;
}

const ::RangeVar* made_relation(const ::Node* statement) {
    switch (nodeTag(statement)) {
        case T_CreateStmt:
            return as<::CreateStmt>(statement)->relation;
        case T_CreateTableAsStmt:
            return as<::CreateTableAsStmt>(statement)->into->rel;
        case T_ViewStmt:
            return as<::ViewStmt>(statement)->view;
        case T_CreateSeqStmt:
            return as<::CreateSeqStmt>(statement)->sequence;
        default:
            return nullptr;
    }
}

const ::CreateTableAsStmt* made_by(const ::Node* statement) {
    if (IsA(statement, CreateTableAsStmt)) {
        return as<::CreateTableAsStmt>(statement);
    }
    if (!IsA(statement, ExplainStmt)) {
        return nullptr;
    }
    const auto* explain = as<::ExplainStmt>(statement);
    const auto* query = reinterpret_cast<const ::Query*>(explain->query);
    if (query == nullptr || !IsA(query, Query) || query->commandType != CMD_UTILITY ||
        !IsA(query->utilityStmt, CreateTableAsStmt)) {
        return nullptr;
    }
    for (int i = 0; i < list_length(explain->options); ++i) {
        auto* option = static_cast<::DefElem*>(list_nth(explain->options, i));
        if (std::string(option->defname) == "analyze" &&
            pg::call([&] { return ::defGetBoolean(option); })) {
            return reinterpret_cast<const ::CreateTableAsStmt*>(query->utilityStmt);
        }
    }
    return nullptr;
}

bool is_server_object(::ObjectType type) {
    switch (type) {
        case OBJECT_FDW:
        case OBJECT_FOREIGN_SERVER:
        case OBJECT_FOREIGN_TABLE:
        case OBJECT_USER_MAPPING:
        case OBJECT_PUBLICATION:
        case OBJECT_PUBLICATION_NAMESPACE:
        case OBJECT_PUBLICATION_REL:
        case OBJECT_SUBSCRIPTION:
        case OBJECT_TABLESPACE:
        case OBJECT_LARGEOBJECT:
            return true;
        default:
            return false;
    }
}

::ObjectType object_type_of(const ::Node* statement) {
    switch (nodeTag(statement)) {
        case T_DropStmt:
            return as<::DropStmt>(statement)->removeType;
        case T_CommentStmt:
            return as<::CommentStmt>(statement)->objtype;
        case T_SecLabelStmt:
            return as<::SecLabelStmt>(statement)->objtype;
        case T_RenameStmt:
            return as<::RenameStmt>(statement)->renameType;
        case T_AlterObjectSchemaStmt:
            return as<::AlterObjectSchemaStmt>(statement)->objectType;
        case T_AlterOwnerStmt:
            return as<::AlterOwnerStmt>(statement)->objectType;
        case T_AlterObjectDependsStmt:
            return as<::AlterObjectDependsStmt>(statement)->objectType;
        case T_GrantStmt:
            return as<::GrantStmt>(statement)->objtype;
        case T_AlterTableStmt:
            return as<::AlterTableStmt>(statement)->objtype;
        case T_AlterEnumStmt:
        case T_AlterTypeStmt:
        case T_AlterDomainStmt:
            return OBJECT_TYPE;
        case T_AlterFunctionStmt:
            return OBJECT_FUNCTION;
        default:
            return OBJECT_TABLE;
    }
}

}  // namespace herd::ddl
