#include "ddl/aftermath.hpp"

#include <set>

#include "base/error.hpp"
#include "catalog/store.hpp"
#include "ddl/catalog_query.hpp"
#include "ddl/distribution_checks.hpp"

extern "C" {
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace herd::ddl {

namespace {

// False while the extension itself is being dropped.
bool has_catalogue() {
    return catalog_query("SELECT to_regclass('herd.distributed_table')")[0][0].has_value();
}

bool drops(const ObjectLog& log, Oid relid) {
    for (const LoggedObject& object : log.dropped) {
        if (object.classid == RelationRelationId && object.objid == relid && object.subid == 0) {
            return true;
        }
    }
    return false;
}

// The table that a catalogue entry belongs to, or InvalidOid.
Oid table_of(const LoggedObject& object) {
    std::string oid = std::to_string(object.objid);
    pg::Rows rows;
    switch (object.classid) {
        case RelationRelationId:
            rows = catalog_query(
                "SELECT coalesce(i.indrelid, c.oid) FROM pg_class c"
                " LEFT JOIN pg_index i ON i.indexrelid = c.oid WHERE c.oid = $1::oid",
                {oid});
            break;
        case ConstraintRelationId:
            rows = catalog_query("SELECT conrelid FROM pg_constraint WHERE oid = $1::oid", {oid});
            break;
        case TriggerRelationId:
            rows = catalog_query("SELECT tgrelid FROM pg_trigger WHERE oid = $1::oid", {oid});
            break;
        case RewriteRelationId:
            rows = catalog_query("SELECT ev_class FROM pg_rewrite WHERE oid = $1::oid", {oid});
            break;
        default:
            break;
    }
    return rows.empty() || !rows[0][0] ? InvalidOid : static_cast<Oid>(std::stoul(*rows[0][0]));
}

}  // namespace

void forget_dropped(const catalog::Catalog& before, const ObjectLog& log) {
    bool forgotten = false;
    for (const LoggedObject& object : log.dropped) {
        if (object.classid == ProcedureRelationId && has_catalogue()) {
            catalog::drop_pushable_function(object.objid);
        }
        if (object.classid != RelationRelationId) {
            continue;
        }
        const catalog::Table* table = before.find(object.objid);
        if (table == nullptr) {
            continue;
        }
        if (object.subid == table->key_attnum && object.subid != 0 && !drops(log, object.objid)) {
            throw Error(
                sqlstate::kDdlRefused,
                "the distribution key of " + qualified_name(object.objid) + " can't be dropped")
                .hint("Make it an ordinary table first: SELECT herd.collect('" +
                      qualified_name(object.objid) + "').");
        }
        if (object.subid == 0 && table->root == table->relid && has_catalogue()) {
            catalog::drop_table(object.objid);
            if (table->group != nullptr) {
                catalog::drop_group_if_unused(table->group->id);
            }
            forgotten = true;
        }
    }
    if (forgotten) {
        catalog::invalidate({});  // what is dropped has no plans
    }
}

void keep_detached(const catalog::Table& partition) {
    if (partition.kind == TableKind::kDistributed) {
        catalog::add_distributed_table(partition.relid, partition.key_attnum, partition.group->id);
    } else {
        catalog::add_reference_table(partition.relid);
    }
    catalog::invalidate({partition.relid});
}

void forget_attached(unsigned int relid) {
    catalog::drop_table(relid);
    catalog::invalidate({relid});
}

void check_touched(const ObjectLog& log, const std::vector<Oid>& targets) {
    std::set<Oid> tables(targets.begin(), targets.end());
    for (const auto* objects : {&log.created, &log.altered}) {
        for (const LoggedObject& object : *objects) {
            tables.insert(table_of(object));
        }
    }
    tables.erase(InvalidOid);
    const catalog::Catalog* herd = catalog::current();
    if (herd == nullptr || herd->tables.empty()) {
        return;
    }
    for (Oid relid : tables) {
        const catalog::Table* table = herd->find(relid);
        if (table != nullptr) {
            check_servable(*herd, *table, sqlstate::kDdlRefused);
        } else {
            check_ordinary(*herd, relid);
        }
    }
}

}  // namespace herd::ddl
