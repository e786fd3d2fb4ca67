#include "ddl/node_text.hpp"

#include "base/error.hpp"
#include "ddl/catalog_query.hpp"
#include "ddl/source_text.hpp"
#include "ddl/statement_objects.hpp"
#include "ddl/targets.hpp"

extern "C" {
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
}

namespace herd::ddl {

namespace {

std::string role_name(const ::Node* statement) {
    if (IsA(statement, CreateRoleStmt)) {
        return as<::CreateRoleStmt>(statement)->role;
    }
    const ::RoleSpec* role = as<::AlterRoleStmt>(statement)->role;
    return pg::call([&] { return ::get_rolespec_name(role); });
}

bool sets_password(const ::List* options) {
    for (int i = 0; i < list_length(options); ++i) {
        const auto* option = static_cast<const ::DefElem*>(list_nth(options, i));
        if (std::string(option->defname) == "password" && option->arg != nullptr) {
            return true;
        }
    }
    return false;
}

const LoggedObject* first_created(const ObjectLog& log, Oid classid) {
    for (const LoggedObject& object : log.created) {
        if (object.classid == classid && object.subid == 0 && !object.internal) {
            return &object;
        }
    }
    return nullptr;
}

std::string columns_of(const std::string& relid) {
    return *catalog_query(
        "SELECT coalesce(string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod)"
        " || CASE WHEN attcollation <> 0 AND attcollation <> t.typcollation"
        "    THEN ' COLLATE ' || (SELECT quote_ident(n.nspname) || '.' || quote_ident(c.collname)"
        "     FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace"
        "     WHERE c.oid = attcollation) ELSE '' END, ', ' ORDER BY attnum), '')"
        " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
        " WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped",
        {relid})[0][0];
}

std::string names_of_columns(const std::string& relid) {
    return *catalog_query(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)"
        " FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0",
        {relid})[0][0];
}

// The query of a view, every name in it qualified, without the semicolon at its end.
std::string view_query(const std::string& relid) {
    return *catalog_query("SELECT rtrim(pg_get_viewdef($1::oid), ';')", {relid})[0][0];
}

// Method and options of a table.
std::string storage_of(const std::string& relid) {
    return *catalog_query(
        "SELECT coalesce(' USING ' || quote_ident(a.amname), '') || coalesce(' WITH (' || ("
        " SELECT string_agg(quote_ident(split_part(o, '=', 1)) || ' = '"
        "  || quote_literal(substr(o, strpos(o, '=') + 1)), ', ') FROM unnest(c.reloptions) o) || "
        "')', '')"
        " FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam WHERE c.oid = $1::oid",
        {relid})[0][0];
}

std::string join(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) {
        text += (text.empty() ? "" : ", ") + part;
    }
    return text;
}

const char* drop_word(::ObjectType type) {
    switch (type) {
        case OBJECT_TABLE:
            return "TABLE ";
        case OBJECT_VIEW:
            return "VIEW ";
        case OBJECT_MATVIEW:
            return "MATERIALIZED VIEW ";
        case OBJECT_INDEX:
            return "INDEX ";
        case OBJECT_SEQUENCE:
            return "SEQUENCE ";
        default:
            return nullptr;
    }
}

// CREATE INDEX CONCURRENTLY has failed here, and nodes may have nothing of that name.
bool is_invalid_index(Oid relid) {
    return !catalog_query("SELECT 1 FROM pg_index WHERE indexrelid = $1::oid AND NOT indisvalid",
                          {std::to_string(relid)})
                .empty();
}

bool names_roles(const ::Node* statement) {
    switch (nodeTag(statement)) {
        case T_GrantStmt:
        case T_GrantRoleStmt:
        case T_AlterOwnerStmt:
        case T_AlterRoleStmt:
        case T_AlterRoleSetStmt:
        case T_DropRoleStmt:
        case T_DropOwnedStmt:
        case T_ReassignOwnedStmt:
        case T_AlterDefaultPrivilegesStmt:
        case T_CreatePolicyStmt:
        case T_AlterPolicyStmt:
        case T_CreateSchemaStmt:
            return true;
        case T_AlterTableStmt: {
            const ::List* commands = as<::AlterTableStmt>(statement)->cmds;
            return list_length(commands) == 1 &&
                   static_cast<const ::AlterTableCmd*>(linitial(commands))->subtype ==
                       AT_ChangeOwner;
        }
        default:
            return false;
    }
}

// The partition whose bound the statement gives.
Oid bounded_partition(const ::Node* statement, const ObjectLog& log) {
    if (IsA(statement, CreateStmt)) {
        const LoggedObject* made = first_created(log, RelationRelationId);
        bool bounded = as<::CreateStmt>(statement)->partbound != nullptr;
        return bounded && made != nullptr ? made->objid : InvalidOid;
    }
    if (!IsA(statement, AlterTableStmt)) {
        return InvalidOid;
    }
    const ::List* commands = as<::AlterTableStmt>(statement)->cmds;
    const auto* command = static_cast<const ::AlterTableCmd*>(linitial(commands));
    return command->subtype == AT_AttachPartition
               ? resolve(reinterpret_cast<const ::PartitionCmd*>(command->def)->name).relid
               : InvalidOid;
}

const ::VariableSetStmt* variable_set(const ::DefElem* option) {
    return option->arg != nullptr && IsA(option->arg, VariableSetStmt)
               ? reinterpret_cast<const ::VariableSetStmt*>(option->arg)
               : nullptr;
}

std::string set_as_current(const ::VariableSetStmt* set) {
    if (set == nullptr || set->kind != VAR_SET_CURRENT ||
        ::pg_strcasecmp(set->name, "search_path") == 0) {
        return {};
    }
    const char* value = pg::call([&] { return ::GetConfigOptionByName(set->name, nullptr, true); });
    return value == nullptr ? std::string()
                            : "SELECT pg_catalog.set_config(" + pg::quote_literal(set->name) +
                                  ", " + pg::quote_literal(value) + ", true)\n;\n";
}

}  // namespace

std::string role_text(const ::Node* statement, const std::string& text) {
    const ::List* options = IsA(statement, CreateRoleStmt)
                                ? as<::CreateRoleStmt>(statement)->options
                                : as<::AlterRoleStmt>(statement)->options;
    if (!sets_password(options)) {
        return text;
    }
    pg::Rows rows = catalog_query("SELECT rolpassword FROM pg_authid WHERE rolname = $1",
                                  {role_name(statement)});
    return rows.empty() || !rows[0][0] ? text : with_password(text, *rows[0][0]);
}

std::string extension_text(const ::Node* statement, const std::string& text, const ObjectLog& log) {
    const char* name =
        IsA(statement, CreateExtensionStmt)  ? as<::CreateExtensionStmt>(statement)->extname
        : IsA(statement, AlterExtensionStmt) ? as<::AlterExtensionStmt>(statement)->extname
                                             : as<::AlterExtensionContentsStmt>(statement)->extname;
    if (std::string(name) == "pg_herd") {
        return {};
    }
    if (IsA(statement, AlterExtensionContentsStmt)) {
        return text;
    }
    if (IsA(statement, AlterExtensionStmt)) {
        return "ALTER EXTENSION " + pg::quote_identifier(name) + " UPDATE TO " +
               pg::quote_literal(*catalog_query(
                   "SELECT extversion FROM pg_extension WHERE extname = $1", {name})[0][0]);
    }
    std::string commands;
    for (const LoggedObject& object : log.created) {
        if (object.classid == ExtensionRelationId) {
            commands += *catalog_query(
                "SELECT format(E'CREATE EXTENSION IF NOT EXISTS %I WITH SCHEMA %I VERSION "
                "%L\\n;\\n',"
                " e.extname, n.nspname, e.extversion) FROM pg_extension e"
                " JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.oid = $1::oid",
                {std::to_string(object.objid)})[0][0];
        }
    }
    return commands;
}

std::string table_as_text(const ::CreateTableAsStmt* statement, const ObjectLog& log) {
    const LoggedObject* made = first_created(log, RelationRelationId);
    if (made == nullptr) {
        return {};
    }
    std::string relid = std::to_string(made->objid);
    std::string name = qualified_name(made->objid);
    if (statement->objtype == OBJECT_MATVIEW) {
        return "CREATE MATERIALIZED VIEW " + name + " (" + names_of_columns(relid) + ")" +
               storage_of(relid) + " AS " + view_query(relid) + " WITH NO DATA";
    }
    bool unlogged =
        pg::call([&] { return ::get_rel_persistence(made->objid); }) == RELPERSISTENCE_UNLOGGED;
    return std::string("CREATE ") + (unlogged ? "UNLOGGED " : "") + "TABLE " + name + " (" +
           columns_of(relid) + ")" + storage_of(relid);
}

std::string event_trigger_text(const ::CreateEventTrigStmt* statement, const std::string& text) {
    return text + "\n;\nALTER EVENT TRIGGER " + pg::quote_identifier(statement->trigname) +
           " DISABLE";
}

std::string security_label_text(const std::string& text) {
    return "DO " + pg::quote_literal("BEGIN EXECUTE " + pg::quote_literal(text) +
                                     "; EXCEPTION WHEN invalid_parameter_value THEN"
                                     " RAISE WARNING 'security label left out: %', SQLERRM; END");
}

std::string drop_text(const ::DropStmt* statement, const std::string& text) {
    const char* word = drop_word(statement->removeType);
    if (word == nullptr) {
        return text;
    }
    std::vector<std::string> names;
    bool here = false;
    bool half_made = false;
    for (int i = 0; i < list_length(statement->objects); ++i) {
        Target target =
            resolve(as_relation(static_cast<const ::Node*>(list_nth(statement->objects, i))));
        here = here || target.scope == Scope::kHere;
        if (target.scope == Scope::kEverywhere) {
            names.push_back(qualified_name(target.relid));
            half_made = half_made || is_invalid_index(target.relid);
        }
    }
    if (!here && !half_made) {
        return text;
    }
    if (names.empty()) {
        return {};
    }
    return std::string("DROP ") + word + (statement->missing_ok || half_made ? "IF EXISTS " : "") +
           join(names) + (statement->behavior == DROP_CASCADE ? " CASCADE" : "");
}

std::string truncate_text(const ::TruncateStmt* statement, const std::string& text) {
    std::vector<std::string> names;
    bool here = false;
    for (int i = 0; i < list_length(statement->relations); ++i) {
        const auto* relation = static_cast<const ::RangeVar*>(list_nth(statement->relations, i));
        Target target = resolve(relation);
        here = here || target.scope == Scope::kHere;
        if (target.scope == Scope::kEverywhere) {
            names.push_back((relation->inh ? "" : "ONLY ") + qualified_name(target.relid));
        }
    }
    if (!here) {
        return text;
    }
    if (names.empty()) {
        return {};
    }
    return "TRUNCATE TABLE " + join(names) + (statement->restart_seqs ? " RESTART IDENTITY" : "") +
           (statement->behavior == DROP_CASCADE ? " CASCADE" : "");
}

std::string with_session_names(const ::Node* statement, const std::string& text) {
    if (!names_roles(statement)) {
        return text;
    }
    return with_session_user(
        text, pg::call([] { return ::GetUserNameFromId(::GetSessionUserId(), false); }));
}

std::string with_computed_bound(const ::Node* statement, const std::string& text,
                                const ObjectLog& log) {
    Oid partition = bounded_partition(statement, log);
    if (!OidIsValid(partition)) {
        return text;
    }
    pg::Rows rows = catalog_query(
        "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = $1::oid AND "
        "relispartition",
        {std::to_string(partition)});
    return rows.empty() || !rows[0][0] ? text : with_partition_bound(text, *rows[0][0]);
}

std::string settings_from_current(const ::Node* statement) {
    std::string commands;
    const ::List* options =
        IsA(statement, CreateFunctionStmt)  ? as<::CreateFunctionStmt>(statement)->options
        : IsA(statement, AlterFunctionStmt) ? as<::AlterFunctionStmt>(statement)->actions
                                            : nullptr;
    for (int i = 0; i < list_length(options); ++i) {
        commands +=
            set_as_current(variable_set(static_cast<const ::DefElem*>(list_nth(options, i))));
    }
    if (IsA(statement, AlterRoleSetStmt)) {
        commands += set_as_current(as<::AlterRoleSetStmt>(statement)->setstmt);
    } else if (IsA(statement, AlterDatabaseSetStmt)) {
        commands += set_as_current(as<::AlterDatabaseSetStmt>(statement)->setstmt);
    }
    return commands;
}

}  // namespace herd::ddl
