// The nodes' copies of the herd's catalogue: nodes, groups, tables and shards, no credentials.
//
//   lock_membership();            // before reading what the change depends on
//   pg::query("INSERT ...");      // change the coordinator's catalogue, as the owner
//   sync_catalog();               // and every node's copy with it, in the same transaction
#pragma once

#include <string>
#include <vector>

#include "catalog/herd_catalog.hpp"

namespace herd::transaction {

// Held to the end of the transaction by whoever changes the catalogue: one at a time, and no DDL
// meanwhile, which would miss a node that joins. Errors: kFeatureNotSupported above READ COMMITTED.
void lock_membership();
// Held to the end of the transaction by DDL that goes to every node; any number at a time.
void lock_membership_shared();

// What a change of the catalogue is about, when the rest is the same everywhere.
struct CatalogChange {
    std::vector<catalog::Oid> tables;  // that have been added or taken away
    std::vector<GroupId> groups;       // that are new or gone
};

// The catalogue as a JSON text, as herd.import_catalog takes it. Relations, types and columns go by
// name, for their numbers differ between servers.
std::string export_catalog();
// The query that makes it: equal texts on two servers are equal catalogues. Needs
// search_path = pg_catalog.
std::string export_query();
// Replaces this node's copy, or what of it the text is about. Errors: kObjectNotInState naming a
// table that this server lacks.
void import_catalog(const std::string& json);

// Tells this server's backends and all other nodes of a changed catalogue: of the whole, so that
// every copy is made anew, or of one change, at a cost that does not grow with the rest.
void sync_catalog();
void sync_catalog(const CatalogChange& change);

// Throws kObjectNotInState on a server that is not its herd's coordinator.
const catalog::Catalog& require_coordinator();

}  // namespace herd::transaction
