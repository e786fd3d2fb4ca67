#include "ddl/column_fill.hpp"

#include "base/error.hpp"
#include "ddl/catalog_query.hpp"
#include "ddl/expression_kind.hpp"
#include "pg/local_only.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
}

namespace herd::ddl {

namespace {

using catalog::Catalog;
using catalog::Table;

// Whether rows stand where the statement's text would be run a second time.
bool has_rows_elsewhere(const Catalog& herd, const Table& table) {
    std::string probe = "SELECT 1 FROM " + qualified_name(table.relid) + " LIMIT 1";
    if (table.kind == TableKind::kReference) {
        pg::LocalOnly here;
        return herd.nodes.size() > 1 && !catalog_query(probe).empty();
    }
    pg::AsOwner owner;
    for (NodeId node : herd.other_nodes()) {
        if (table.group->shards_of(node) > 0 && !transaction::run(node, probe, false).empty()) {
            return true;
        }
    }
    return false;
}

// The lock that ALTER TABLE takes anyway, so that the rows stay as they are seen now.
bool lock_owned(Oid relid) {
    return pg::call([&] {
        if (!::pg_class_ownercheck(relid, ::GetUserId())) {
            return false;
        }
        ::LockRelationOid(relid, AccessExclusiveLock);
        return true;
    });
}

[[noreturn]] void refuse(const Table& table, const std::string& column, const std::string& why,
                         const std::string& hint) {
    std::string name = qualified_name(table.relid);
    throw Error(sqlstate::kDdlRefused, "column \"" + column + "\" of " + name +
                                           " would get different values on different nodes")
        .detail(why)
        .hint(hint);
}

std::string in_steps(const Table& table, const std::string& column) {
    std::string alter = "ALTER TABLE " + qualified_name(table.relid);
    std::string name = pg::quote_identifier(column);
    return "Do it in steps: " + alter + " ADD COLUMN " + name + " without default; UPDATE " +
           qualified_name(table.relid) + " SET " + name + " = ...; " + alter + " ALTER COLUMN " +
           name + " SET DEFAULT ...";
}

// Column constraints besides NULL, NOT NULL and the default itself.
bool has_further_constraints(const ::ColumnDef* column) {
    for (int i = 0; i < list_length(column->constraints); ++i) {
        switch (static_cast<const ::Constraint*>(list_nth(column->constraints, i))->contype) {
            case CONSTR_NULL:
            case CONSTR_NOTNULL:
            case CONSTR_DEFAULT:
            case CONSTR_IDENTITY:
                break;
            default:
                return true;
        }
    }
    return false;
}

bool has_column(Oid relid, const char* name) {
    return pg::call([&] { return ::get_attnum(relid, name); }) != InvalidAttrNumber;
}

bool has_primary_key(Oid relid) {
    return !catalog_query("SELECT 1 FROM pg_index WHERE indrelid = $1::oid AND indisprimary",
                          {std::to_string(relid)})
                .empty();
}

ColumnFill::Way way_for(const Table& table, const ::ColumnDef* column, ExpressionKind kind) {
    bool reference = table.kind == TableKind::kReference;
    if (kind == ExpressionKind::kStable) {
        return ColumnFill::Way::kLiteral;
    }
    if (!reference && kind == ExpressionKind::kRandom) {
        return ColumnFill::Way::kSameText;
    }
    if (!reference) {
        refuse(table, column->colname,
               kind == ExpressionKind::kSequence
                   ? "Each node would number its own rows from the same start."
                   : "The default calls a function that each node would run on its own.",
               in_steps(table, column->colname));
    }
    if (!has_primary_key(table.relid)) {
        refuse(table, column->colname,
               "Without a primary key the coordinator's values can't be told apart.",
               "Add a primary key first. " + in_steps(table, column->colname));
    }
    return ColumnFill::Way::kValues;
}

void plan_added_column(ColumnFill& fill, const Catalog& herd, const Table& table,
                       const ::AlterTableStmt* statement, const ::ColumnDef* column) {
    ExpressionKind kind = default_kind(column);
    if (kind == ExpressionKind::kConstant || !lock_owned(table.relid) ||
        !has_rows_elsewhere(herd, table)) {
        return;
    }
    ColumnFill::Way way = way_for(table, column, kind);
    if (way == ColumnFill::Way::kSameText) {
        return;
    }
    if (list_length(statement->cmds) > 1 || has_further_constraints(column)) {
        refuse(table, column->colname, "Its default is evaluated once, on the coordinator.",
               "Add this column in a statement of its own, and its constraints in further ones.");
    }
    fill.way = way;
    fill.relid = table.relid;
    fill.column = column->colname;
}

void refuse_conversion(const Catalog& herd, const Table& table, const ::AlterTableCmd* command) {
    const auto* column = reinterpret_cast<const ::ColumnDef*>(command->def);
    if (column->raw_default == nullptr || !lock_owned(table.relid)) {
        return;
    }
    ExpressionKind kind = conversion_kind(table.relid, column->raw_default);
    bool harmless = kind == ExpressionKind::kConstant ||
                    (kind == ExpressionKind::kRandom && table.kind == TableKind::kDistributed);
    if (!harmless && has_rows_elsewhere(herd, table)) {
        refuse(table, command->name, "The USING expression is evaluated on each node.",
               "Change the type with an expression of the columns alone, and UPDATE the rest.");
    }
}

std::string literal_text(const ColumnFill& fill) {
    std::vector<pg::Field> which = {std::to_string(fill.relid), fill.column};
    pg::Rows facts = catalog_query(
        "SELECT format_type(a.atttypid, a.atttypmod), a.attnotnull,"
        " (SELECT ' COLLATE ' || quote_ident(n.nspname) || '.' || quote_ident(c.collname)"
        "  FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace"
        "  JOIN pg_type t ON t.oid = a.atttypid"
        "  WHERE c.oid = a.attcollation AND c.oid <> t.typcollation), a.attnum"
        " FROM pg_attribute a WHERE a.attrelid = $1::oid AND a.attname = $2",
        which);
    pg::Rows values = catalog_query(
        "SELECT (a.attmissingval::text::text[])[1] FROM pg_attribute a WHERE a.atthasmissing"
        " AND a.attname = $2 AND a.attrelid IN (SELECT $1::oid UNION"
        "  SELECT relid FROM pg_partition_tree($1::oid)) LIMIT 1",
        which);
    if (facts.empty() || values.empty()) {
        throw Error(sqlstate::kDdlRefused,
                    "the value of column \"" + fill.column + "\" is not known on the coordinator")
            .hint("Add the column without default, UPDATE it, and set the default then.");
    }
    std::string alter = "ALTER TABLE " + qualified_name(fill.relid);
    std::string name = pg::quote_identifier(fill.column);
    std::string type = *facts[0][0];
    std::string value = values[0][0] ? pg::quote_literal(*values[0][0]) + "::" + type : "NULL";
    // None where the default is the type's own.
    pg::Rows expression = catalog_query(
        "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = $1::oid"
        " AND adnum = $2::int2",
        {which[0], facts[0][3]});
    return alter + " ADD COLUMN " + name + " " + type + facts[0][2].value_or("") + " DEFAULT " +
           value + (*facts[0][1] == "t" ? " NOT NULL" : "") + "\n;\n" + alter + " ALTER COLUMN " +
           name + (expression.empty() ? " DROP DEFAULT" : " SET DEFAULT " + *expression[0][0]);
}

// The key columns' names and types.
pg::Rows primary_key(Oid relid) {
    return catalog_query(
        "SELECT quote_ident(a.attname), format_type(a.atttypid, a.atttypmod) FROM pg_index i"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)"
        " WHERE i.indrelid = $1::oid AND i.indisprimary ORDER BY a.attnum",
        {std::to_string(relid)});
}

// UPDATE of every row to the values that stand here.
std::string values_text(const ColumnFill& fill) {
    std::string table = qualified_name(fill.relid);
    std::string name = pg::quote_identifier(fill.column);
    pg::Rows facts = catalog_query(
        "SELECT format_type(atttypid, atttypmod), attidentity FROM pg_attribute"
        " WHERE attrelid = $1::oid AND attname = $2",
        {std::to_string(fill.relid), fill.column});
    std::string selected = "pg_catalog.array_agg(" + name + "::pg_catalog.text)";
    std::string names = "herd_value";
    std::string matched;
    int number = 0;
    pg::Rows keys = primary_key(fill.relid);
    for (const pg::Row& key : keys) {
        std::string alias = "herd_key" + std::to_string(++number);
        selected += ", pg_catalog.array_agg(" + *key[0] + "::pg_catalog.text)";
        names += ", " + alias;
        matched +=
            (matched.empty() ? "" : " AND ") + ("t." + *key[0]) + " = u." + alias + "::" + *key[1];
    }
    pg::Rows values;
    {
        // As the user, whose types' casts run here. Policies that hide rows are an error.
        pg::LocalOnly here;
        values = query_unfiltered("SELECT " + selected + " FROM " + table);
    }
    std::string arrays;
    for (const pg::Field& array : values[0]) {
        arrays += (arrays.empty() ? "" : ", ") +
                  ("pg_catalog.unnest(" + pg::quote_literal(array.value_or("{}")) +
                   "::pg_catalog.text[])");
    }
    std::string update = "UPDATE " + table + " t SET " + name + " = u.herd_value::" + *facts[0][0] +
                         " FROM ROWS FROM (" + arrays + ") u(" + names + ") WHERE " + matched;
    if (*facts[0][1] != "a") {
        return update;
    }
    std::string generated = "ALTER TABLE " + table + " ALTER COLUMN " + name + " SET GENERATED ";
    return generated + "BY DEFAULT\n;\n" + update + "\n;\n" + generated + "ALWAYS";
}

}  // namespace

ColumnFill plan_column_fill(const Catalog& herd, const ::AlterTableStmt* statement) {
    ColumnFill fill;
    Oid relid = pg::call([&] { return RangeVarGetRelid(statement->relation, NoLock, true); });
    const Table* table = herd.find(relid);
    if (table == nullptr) {
        return fill;
    }
    for (int i = 0; i < list_length(statement->cmds); ++i) {
        const auto* command = static_cast<const ::AlterTableCmd*>(list_nth(statement->cmds, i));
        if (command->subtype == AT_AddColumn) {
            const auto* column = reinterpret_cast<const ::ColumnDef*>(command->def);
            if (!command->missing_ok || !has_column(relid, column->colname)) {
                plan_added_column(fill, herd, *table, statement, column);
            }
        } else if (command->subtype == AT_AlterColumnType) {
            refuse_conversion(herd, *table, command);
        }
    }
    return fill;
}

std::string column_fill_text(const ColumnFill& fill, const std::string& text) {
    switch (fill.way) {
        case ColumnFill::Way::kLiteral:
            return literal_text(fill);
        case ColumnFill::Way::kValues:
            return text + "\n;\n" + values_text(fill);
        default:
            return text;
    }
}

}  // namespace herd::ddl
