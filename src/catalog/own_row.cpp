#include "catalog/own_row.hpp"

#include <algorithm>

#include "pg/ownership_filter.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace herd::catalog {

namespace {

bool changes_rows(const ::TriggerDesc* triggers) {
    return triggers != nullptr &&
           (triggers->trig_insert_before_row || triggers->trig_update_before_row);
}

bool has_triggers(::Oid relid) {
    ::HeapTuple tuple = ::SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
    if (!HeapTupleIsValid(tuple)) {
        return false;
    }
    bool has = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relhastriggers;
    ::ReleaseSysCache(tuple);
    return has;
}

[[noreturn]] void refuse_row(const OwnRowCheck& check, NodeId owner) {
    auto name = [&](NodeId id) {
        const NodeEntry* node = check.herd->node(id);
        return '"' + (node == nullptr ? "?" : node->name) + '"';
    };
    const char* table = pg::call([&] { return ::get_rel_name(check.table->relid); });
    throw Error(sqlstate::kKeyUpdate, std::string("a row of table \"") + table +
                                          "\" would be stored on a node that does not own its key")
        .detail("The key belongs to node " + name(owner) + "; this is node " +
                name(check.herd->self) + '.')
        .hint(
            "Triggers may not change the distribution key. Clients write through the coordinator, "
            "or to the node that herd.node_of() names.");
}

}  // namespace

OwnRowCheck own_row_check(const Catalog& herd, const Table& table, ::Oid key_type) {
    return {&herd, &table, pg::key_hasher(key_type, table.group->key_collation)};
}

void require_own_row(const OwnRowCheck& check, Datum key, bool isnull) {
    std::int64_t hash = pg::call([&] { return pg::hash_key(check.hasher, key, isnull); });
    NodeId owner = check.table->group->map().owner(hash).node;
    if (owner != check.herd->self) {
        refuse_row(check, owner);
    }
}

const OwnedRows* owned_rows(const Catalog& herd, const Table& table, ::Oid key_type,
                            ::MemoryContext memory) {
    std::vector<HashRange> ranges = table.group->map().ranges_of(herd.self);
    return pg::call([&] {
        auto* owned = static_cast<OwnedRows*>(::MemoryContextAlloc(memory, sizeof(OwnedRows)));
        std::size_t size = ranges.size() * sizeof(HashRange);
        auto* copy = static_cast<HashRange*>(::MemoryContextAlloc(memory, size));
        std::copy(ranges.begin(), ranges.end(), copy);
        *owned = {pg::key_hasher(key_type, table.group->key_collation), copy, copy + ranges.size()};
        return owned;
    });
}

// By itself a server holds no rows of others: a row comes to it only when it owns the key, and no
// range changes its owner while the table has rows.
bool may_need_filter() {
    return pg::ownership_filter() == pg::OwnershipFilter::kAlways;
}

bool needs_filter(const Table& table) {
    // Where everything is this server's, there are no others' rows.
    return may_need_filter() && table.group != nullptr && !table.group->all_here;
}

// Partitions may have triggers of their own, which need not be looked at one by one.
bool triggers_may_change_rows(::Oid relid) {
    ::Relation relation = ::table_open(relid, NoLock);
    bool may = changes_rows(relation->trigdesc);
    bool has_partitions = relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
    ::table_close(relation, NoLock);
    if (!may && has_partitions) {
        ::List* partitions = ::find_all_inheritors(relid, NoLock, nullptr);
        for (int i = 0; i < ::list_length(partitions) && !may; ++i) {
            may = has_triggers(list_nth_oid(partitions, i));
        }
    }
    return may;
}

}  // namespace herd::catalog
