#include "ddl/refusals.hpp"

#include <string>

#include "base/error.hpp"
#include "ddl/catalog_query.hpp"
#include "ddl/statement_objects.hpp"
#include "ddl/targets.hpp"
#include "pg/local_only.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "utils/lsyscache.h"
}

namespace herd::ddl {

namespace {

using catalog::Catalog;
using catalog::Table;

Oid find_relation(const ::RangeVar* name) {
    return name == nullptr ? InvalidOid
                           : pg::call([&] { return RangeVarGetRelid(name, NoLock, true); });
}

std::string key_of(const Table& table) {
    return pg::call([&] { return ::get_attname(table.relid, table.key_attnum, false); });
}

Error refuse(const std::string& message) {
    return Error(sqlstate::kDdlRefused, message);
}

bool has_rows_here(Oid relid) {
    char kind = pg::call([&] { return ::get_rel_relkind(relid); });
    if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE) {
        return false;  // PostgreSQL refuses it; a view's functions must not run as the owner
    }
    pg::LocalOnly here;
    return !catalog_query("SELECT 1 FROM " + qualified_name(relid) + " LIMIT 1").empty();
}

// Rows of a partition that comes to a table of the herd would stand where nobody looks for them.
void refuse_attach(const Catalog& herd, const Table& root, Oid partition) {
    const Table* own = herd.find(partition);
    if (own != nullptr) {
        if (own->kind == root.kind && own->group == root.group &&
            (own->kind == TableKind::kReference || key_of(*own) == key_of(root))) {
            return;
        }
        throw refuse(qualified_name(partition) + " is not distributed as " +
                     qualified_name(root.relid))
            .hint(
                "Make it an ordinary table first (herd.collect), or distribute it with "
                "colocate_with.");
    }
    bool owns_all = root.kind == TableKind::kDistributed && root.group->all_here;
    if (!owns_all && OidIsValid(partition) && herd.nodes.size() > 1 && has_rows_here(partition)) {
        throw refuse(qualified_name(partition) + " has rows, which belong on several nodes")
            .hint("Attach it empty, and insert the rows into " + qualified_name(root.relid) + ".");
    }
}

void refuse_partition_command(const Catalog& herd, const Table* table, Oid relid,
                              const ::AlterTableCmd* command) {
    const auto* partition = reinterpret_cast<const ::PartitionCmd*>(command->def);
    if (command->subtype == AT_AttachPartition) {
        Oid attached = find_relation(partition->name);
        if (table != nullptr) {
            refuse_attach(herd, *table, attached);
        } else if (herd.find(attached) != nullptr) {
            throw refuse(qualified_name(attached) +
                         " is a table of the herd and can't become a partition of " +
                         qualified_name(relid))
                .hint("Distribute " + qualified_name(relid) + " by the same key first.");
        }
    } else if (partition->concurrent && table != nullptr) {
        throw refuse("a partition of " + qualified_name(relid) + " can't be detached CONCURRENTLY")
            .hint("Use DETACH PARTITION without CONCURRENTLY: it is one transaction on all nodes.");
    }
}

void refuse_key_change(const Table& table, const ::AlterTableCmd* command) {
    if (table.kind != TableKind::kDistributed || command->name == nullptr ||
        key_of(table) != command->name) {
        return;
    }
    bool drops = command->subtype == AT_DropColumn;
    std::string name = qualified_name(table.relid);
    throw refuse(std::string(drops ? "" : "the type of ") + "the distribution key \"" +
                 command->name + "\" of " + name + " can't be " + (drops ? "dropped" : "changed"))
        .hint("SELECT herd.collect('" + name +
              "') makes it an ordinary table: change it then, and "
              "distribute it again.");
}

[[noreturn]] void refuse_unique(const Table& table, const std::string& what) {
    std::string key = key_of(table);
    throw refuse(what + " on distributed table " + qualified_name(table.relid) +
                 " lacks the distribution key \"" + key + "\"")
        .detail("Equal values could stand on two nodes, and no node would see both.")
        .hint("Add \"" + key + "\" to the " + what +
              ", make it not unique, or make the table a reference table.");
}

bool has_name(const ::List* names, const std::string& wanted) {
    for (int i = 0; i < list_length(names); ++i) {
        if (wanted == strVal(list_nth(names, i))) {
            return true;
        }
    }
    return false;
}

// PostgreSQL would compare with the rows of this server first, and say something else.
void refuse_foreign_key(const Catalog& herd, Oid relid, const ::Constraint* constraint) {
    Oid referenced = find_relation(constraint->pktable);
    const Table* from = herd.find(relid);
    const Table* to = herd.find(referenced);
    if (from != nullptr && to == nullptr && OidIsValid(referenced)) {
        throw refuse("a foreign key from " + qualified_name(relid) + " to " +
                     qualified_name(referenced) + " can't be checked by one node alone")
            .detail(qualified_name(referenced) + " has its rows on the coordinator only.")
            .hint("Make it a reference table first: SELECT herd.reference('" +
                  qualified_name(referenced) + "').");
    }
    if (to == nullptr || to->kind == TableKind::kReference) {
        return;
    }
    if (from != nullptr &&
        (from->group != to->group || !has_name(constraint->fk_attrs, key_of(*from)))) {
        throw refuse("a foreign key from " + qualified_name(relid) + " to " +
                     qualified_name(referenced) + " would join rows of different nodes")
            .detail(
                "The two tables must be co-located, and the foreign key must hold the keys of "
                "both.")
            .hint(
                "Distribute one with colocate_with => the other and add the key columns to the "
                "foreign key, or make " +
                qualified_name(referenced) + " a reference table.");
    }
    if (from == nullptr) {
        throw refuse("a foreign key of an ordinary table to distributed table " +
                     qualified_name(referenced))
            .detail("The rows of " + qualified_name(referenced) + " lie on several nodes.")
            .hint("Distribute " + qualified_name(relid) +
                  " first (herd.distribute with colocate_with => '" + qualified_name(referenced) +
                  "'), and add the foreign key then.");
    }
}

void refuse_constraint(const Catalog& herd, const Table* table, Oid relid,
                       const ::Constraint* constraint) {
    if (constraint->contype == CONSTR_FOREIGN) {
        refuse_foreign_key(herd, relid, constraint);
        return;
    }
    bool unique = constraint->contype == CONSTR_PRIMARY || constraint->contype == CONSTR_UNIQUE;
    if (unique && constraint->indexname == nullptr && table != nullptr &&
        table->kind == TableKind::kDistributed && !has_name(constraint->keys, key_of(*table))) {
        refuse_unique(*table, constraint->contype == CONSTR_PRIMARY ? "primary key" : "constraint");
    }
}

void refuse_alter_table(const Catalog& herd, const ::AlterTableStmt* statement) {
    Oid relid = find_relation(statement->relation);
    const Table* table = herd.find(relid);
    for (int i = 0; i < list_length(statement->cmds); ++i) {
        const auto* command = static_cast<const ::AlterTableCmd*>(list_nth(statement->cmds, i));
        switch (command->subtype) {
            case AT_AttachPartition:
            case AT_DetachPartition:
                refuse_partition_command(herd, table, relid, command);
                break;
            case AT_AddConstraint:
                refuse_constraint(herd, table, relid,
                                  reinterpret_cast<const ::Constraint*>(command->def));
                break;
            case AT_DropColumn:
            case AT_AlterColumnType:
                if (table != nullptr) {
                    refuse_key_change(*table, command);
                }
                break;
            default:
                break;
        }
    }
}

// What can't be rolled back is judged before it begins.
void refuse_index(const Catalog& herd, const ::IndexStmt* statement) {
    const Table* table = herd.find(find_relation(statement->relation));
    if (table == nullptr || table->kind != TableKind::kDistributed || !statement->unique) {
        return;
    }
    std::string key = key_of(*table);
    for (int i = 0; i < list_length(statement->indexParams); ++i) {
        const auto* column = static_cast<const ::IndexElem*>(list_nth(statement->indexParams, i));
        if (column->name != nullptr && key == column->name) {
            return;
        }
    }
    refuse_unique(*table, "unique index");
}

void refuse_drop_extension(const Catalog& herd, const ::DropStmt* statement) {
    if (statement->removeType != OBJECT_EXTENSION || statement->behavior == DROP_CASCADE ||
        herd.tables.empty() || herd.nodes.size() < 2) {
        return;
    }
    for (int i = 0; i < list_length(statement->objects); ++i) {
        if (std::string(strVal(list_nth(statement->objects, i))) == "pg_herd") {
            throw refuse("tables of this herd have rows on other nodes")
                .detail("Without pg_herd this server sees its own rows only.")
                .hint(
                    "Bring them back with herd.collect(table) and remove the nodes first, or use "
                    "CASCADE to "
                    "leave the rows where they are.");
        }
    }
}

}  // namespace

void refuse_before(const Catalog& herd, const ::Node* statement) {
    switch (nodeTag(statement)) {
        case T_AlterTableStmt:
            refuse_alter_table(herd, as<::AlterTableStmt>(statement));
            break;
        case T_IndexStmt:
            refuse_index(herd, as<::IndexStmt>(statement));
            break;
        case T_DropStmt:
            refuse_drop_extension(herd, as<::DropStmt>(statement));
            break;
        default:
            break;
    }
}

void refuse_like(const ::Node* statement) {
    if (!IsA(statement, CreateStmt)) {
        return;
    }
    const ::List* elements = as<::CreateStmt>(statement)->tableElts;
    for (int i = 0; i < list_length(elements); ++i) {
        const auto* element = static_cast<const ::Node*>(list_nth(elements, i));
        if (!IsA(element, TableLikeClause)) {
            continue;
        }
        const auto* like = reinterpret_cast<const ::TableLikeClause*>(element);
        Target model = resolve(like->relation);
        if (model.scope == Scope::kHere && schema_name(model.relid) != "herd") {
            throw refuse("no node has " + qualified_name(model.relid) + " to make a table like it")
                .detail("Temporary and foreign tables are on the coordinator alone.")
                .hint("CREATE TABLE ... AS SELECT * FROM " + relation_name(model.relid) +
                      " WITH NO DATA makes a table with its columns on every node.");
        }
    }
}

}  // namespace herd::ddl
