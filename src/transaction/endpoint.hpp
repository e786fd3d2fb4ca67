// How a server of the herd reaches another.
#pragma once

#include "catalog/herd_catalog.hpp"
#include "remote/connection.hpp"

namespace herd::transaction {

// This database's catalogue; throws kObjectNotInState where the extension is not installed.
const catalog::Catalog& require_herd();

// An internal session at the node's primary, with search_path=pg_catalog. Its token is good for one
// connection. Errors: kUndefinedObject.
remote::Endpoint endpoint_of(const catalog::Catalog& herd, NodeId id);

// One setting of a libpq connection string, quoted: "host='...'".
std::string conninfo_value(const std::string& value);

}  // namespace herd::transaction
