#include "api/node_leave.hpp"

#include <algorithm>
#include <vector>

#include "api/node_join.hpp"
#include "catalog/store.hpp"
#include "pg/spi.hpp"
#include "placement/spread.hpp"
#include "transaction/catalog_sync.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "storage/lmgr.h"
}

namespace herd::api {

namespace {

using catalog::Catalog;
using catalog::NodeEntry;

// Groups of which the node owns shards.
std::vector<GroupId> groups_on(const Catalog& herd, NodeId node) {
    std::vector<GroupId> groups;
    for (const auto& entry : herd.groups) {
        if (entry.second.shards_of(node) > 0) {
            groups.push_back(entry.second.id);
        }
    }
    return groups;
}

// The node's tables of those groups that have rows there. Locks them against writers.
std::string tables_with_rows(const Catalog& herd, const NodeEntry& node) {
    std::vector<Oid> relations;
    for (const auto& [relid, table] : herd.tables) {
        if (table.group != nullptr && table.root == relid && table.group->shards_of(node.id) > 0) {
            relations.push_back(relid);
        }
    }
    std::sort(relations.begin(), relations.end());
    std::string names;
    pg::AsOwner owner;
    for (Oid relation : relations) {
        pg::call([&] { ::LockRelationOid(relation, ShareRowExclusiveLock); });
        std::string name =
            *pg::query_value("SELECT $1::oid::regclass::text", {std::to_string(relation)});
        if (!transaction::run(node.id, "SELECT 1 FROM " + name + " LIMIT 1", false).empty()) {
            names += (names.empty() ? "" : ", ") + name;
        }
    }
    return names;
}

void hand_over_empty_shards(const Catalog& herd, const NodeEntry& node) {
    std::vector<GroupId> groups = groups_on(herd, node.id);
    if (groups.empty()) {
        return;
    }
    std::string occupied = tables_with_rows(herd, node);
    if (!occupied.empty()) {
        throw Error(sqlstate::kObjectNotInState,
                    "node \"" + node.name + "\" owns shards of tables that have rows there")
            .detail("Tables: " + occupied + ".")
            .hint("Move its shards away first, or SELECT herd.collect(table) for each of them.");
    }
    std::vector<HerdNode> others;
    for (const NodeEntry& other : herd.nodes) {
        if (other.id != node.id) {
            others.push_back(other);
        }
    }
    for (GroupId group : groups) {
        int count = herd.groups.at(group.value).shards_of(node.id);
        catalog::reassign_shards(group, node.id,
                                 placement::spread(count, placement::weights_of(others)));
    }
}

// The database there becomes an ordinary one. A node that does not answer keeps its copy: it is
// told apart by the herd's next checks, and nobody links to it any more.
void dismiss(const NodeEntry& node) {
    try {
        transaction::open_links({node.id});
    } catch (const Error& error) {
        if (error.state() != sqlstate::kCannotConnect) {
            throw;
        }
        std::string name = node.name;
        pg::call([&] {
            ereport(WARNING,
                    (errmsg("node \"%s\" does not answer; it is removed here only", name.c_str()),
                     errhint("When it is back, run DROP EXTENSION pg_herd in its database.")));
        });
        return;
    }
    pg::AsOwner owner;
    transaction::run(node.id, "DROP EXTENSION pg_herd");
}

}  // namespace

void remove_node(const NodeEntry& node) {
    if (node.is_coordinator()) {
        throw Error(sqlstate::kObjectNotInState, "the coordinator can't leave its herd")
            .hint(
                "herd.set_node('coordinator', takes_shards => false) keeps new shards away from "
                "it.");
    }
    hand_over_empty_shards(transaction::require_herd(), node);
    catalog::record_event("node_removed", node.name, "");
    dismiss(node);
    catalog::drop_node(node.id);
    transaction::sync_catalog();
}

}  // namespace herd::api
