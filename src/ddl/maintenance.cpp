#include "ddl/maintenance.hpp"

#include <algorithm>

#include "ddl/catalog_query.hpp"
#include "ddl/statement_objects.hpp"
#include "ddl/targets.hpp"

extern "C" {
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
}

namespace herd::ddl {

namespace {

using catalog::Catalog;

constexpr const char* kRunAgain = "Run the statement again when the node answers.";

std::string join(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) {
        text += (text.empty() ? "" : ", ") + part;
    }
    return text;
}

// (FULL true, PARALLEL 2), as the user gave it.
std::string options_text(const ::List* options) {
    std::vector<std::string> parts;
    for (int i = 0; i < list_length(options); ++i) {
        auto* option = static_cast<::DefElem*>(list_nth(options, i));
        std::string part = option->defname;
        if (option->arg != nullptr) {
            part += std::string(" ") + pg::call([&] { return ::defGetString(option); });
        }
        parts.push_back(part);
    }
    return parts.empty() ? "" : " (" + join(parts) + ")";
}

std::string columns_text(const ::List* columns) {
    std::vector<std::string> parts;
    for (int i = 0; i < list_length(columns); ++i) {
        parts.push_back(pg::quote_identifier(strVal(list_nth(columns, i))));
    }
    return parts.empty() ? "" : " (" + join(parts) + ")";
}

// Tables of the herd alone: the rows of the others are here.
void plan_vacuum(Maintenance& work, const Catalog& herd, const ::VacuumStmt* statement,
                 bool in_block) {
    std::vector<std::string> tables;
    for (int i = 0; i < list_length(statement->rels); ++i) {
        const auto* relation = static_cast<const ::VacuumRelation*>(list_nth(statement->rels, i));
        Oid relid = resolve(relation->relation).relid;
        if (herd.find(relid) != nullptr) {
            tables.push_back(qualified_name(relid) + columns_text(relation->va_cols));
            work.analyzed.push_back(relid);
        }
    }
    if (tables.empty() && statement->rels != NIL) {
        return;
    }
    for (const auto& [relid, table] : herd.tables) {
        bool named = std::find(work.analyzed.begin(), work.analyzed.end(), table.root) !=
                     work.analyzed.end();
        if (statement->rels == NIL || (named && table.root != relid)) {
            work.analyzed.push_back(relid);
        }
    }
    work.what = statement->is_vacuumcmd ? "VACUUM" : "ANALYZE";
    work.text = work.what + options_text(statement->options) + " " + join(tables);
    work.in_transaction = in_block && !statement->is_vacuumcmd;
    work.remedy = kRunAgain;
}

bool is_partitioned(Oid relid) {
    char kind = pg::call([&] { return ::get_rel_relkind(relid); });
    return kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_PARTITIONED_INDEX;
}

void plan_cluster(Maintenance& work, const Catalog& herd, const ::ClusterStmt* statement,
                  const std::string& text) {
    Oid relid = statement->relation == nullptr ? InvalidOid : resolve(statement->relation).relid;
    if (statement->relation != nullptr && herd.find(relid) == nullptr) {
        return;
    }
    work.what = "CLUSTER";
    work.text = text;
    work.in_transaction = OidIsValid(relid) && !is_partitioned(relid);
    work.remedy = kRunAgain;
}

bool is_concurrent(const ::ReindexStmt* statement) {
    for (int i = 0; i < list_length(statement->params); ++i) {
        auto* option = static_cast<::DefElem*>(list_nth(statement->params, i));
        if (std::string(option->defname) == "concurrently" &&
            pg::call([&] { return ::defGetBoolean(option); })) {
            return true;
        }
    }
    return false;
}

void plan_reindex(Maintenance& work, const Catalog& herd, const ::ReindexStmt* statement,
                  const std::string& text) {
    if (statement->kind == REINDEX_OBJECT_SYSTEM) {
        return;
    }
    bool one = statement->relation != nullptr;
    Oid relid = one ? resolve(statement->relation).relid : InvalidOid;
    if (one) {
        Oid table = statement->kind == REINDEX_OBJECT_INDEX && OidIsValid(relid)
                        ? pg::call([&] { return ::IndexGetRelation(relid, true); })
                        : relid;
        if (herd.find(table) == nullptr) {
            return;
        }
    }
    work.what = "REINDEX";
    work.text = text;
    work.in_transaction = one && !is_partitioned(relid) && !is_concurrent(statement);
    work.remedy = is_concurrent(statement)
                      ? "Drop invalid indexes whose names end in _ccnew on that node (they are in "
                        "pg_index with indisvalid = false) and run the statement again."
                      : kRunAgain;
}

void plan_index(Maintenance& work, const ::IndexStmt* statement) {
    work.what = "CREATE INDEX CONCURRENTLY";
    if (scope_before(reinterpret_cast<const ::Node*>(statement)) == Scope::kHere) {
        work.what.clear();
    }
}

void plan_drop_index(Maintenance& work, const ::DropStmt* statement) {
    const ::RangeVar* name = as_relation(static_cast<const ::Node*>(linitial(statement->objects)));
    Target target = resolve(name);
    if (target.scope != Scope::kEverywhere) {
        return;
    }
    std::string index = qualified_name(target.relid);
    work.what = "DROP INDEX CONCURRENTLY " + index;
    // A failure must not keep a second try from the nodes that have finished.
    work.text = "DROP INDEX CONCURRENTLY IF EXISTS " + index;
    work.remedy = "Run DROP INDEX CONCURRENTLY IF EXISTS " + index + " on that node.";
}

void plan_detach(Maintenance& work, const ::Node* statement, const std::string& text) {
    if (scope_before(statement) == Scope::kEverywhere) {
        work.what = "ALTER TABLE ... DETACH PARTITION";
        work.text = text;
        work.remedy = "Run the statement on that node, with FINALIZE if it asks for it.";
    }
}

}  // namespace

Maintenance plan_maintenance(const Catalog& herd, Kind kind, const ::Node* statement,
                             const std::string& text, bool in_block) {
    Maintenance work;
    switch (kind) {
        case Kind::kVacuum:
            plan_vacuum(work, herd, as<::VacuumStmt>(statement), in_block);
            break;
        case Kind::kCluster:
            plan_cluster(work, herd, as<::ClusterStmt>(statement), text);
            break;
        case Kind::kReindex:
            plan_reindex(work, herd, as<::ReindexStmt>(statement), text);
            break;
        case Kind::kIndexConcurrently:
            plan_index(work, as<::IndexStmt>(statement));
            break;
        case Kind::kDropConcurrently:
            plan_drop_index(work, as<::DropStmt>(statement));
            break;
        case Kind::kDetachConcurrently:
            plan_detach(work, statement, text);
            break;
        default:
            break;
    }
    return work;
}

void complete_index(Maintenance& work, const ObjectLog& log) {
    for (const LoggedObject& object : log.created) {
        if (object.classid != RelationRelationId || object.internal || work.what.empty()) {
            continue;
        }
        std::string index = qualified_name(object.objid);
        std::string definition =
            *catalog_query("SELECT pg_get_indexdef($1::oid)", {std::to_string(object.objid)})[0][0];
        std::size_t place = definition.find("INDEX ") + 6;
        work.text = definition.substr(0, place) + "CONCURRENTLY " + definition.substr(place);
        work.what += " " + index;
        work.remedy = "Run DROP INDEX CONCURRENTLY " + index +
                      ", which drops it everywhere, invalid or not, and create it again.";
        return;
    }
}

}  // namespace herd::ddl
