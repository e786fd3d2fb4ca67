// This session's links, and the distributed transaction over them.
//
//   Link& link = transaction::link_to(node);       // opens it at need
//   transaction::run(node, "ALTER TABLE ...");     // one statement, as part of the transaction
//
// Commit: one phase when one node wrote and this server did not; two-phase otherwise. The decision
// is this server's own commit: the global id of a prepared transaction names the coordinator's
// transaction id, and whoever recovers asks pg_xact_status.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "catalog/herd_catalog.hpp"
#include "pg/spi.hpp"
#include "transaction/link.hpp"

namespace herd::transaction {

// All links of this session.
using Links = std::map<NodeId, std::unique_ptr<Link>>;
Links& session_links();

// The session's link to that node, open or about to be opened. Errors: kUndefinedObject.
Link& link_to(NodeId node);

// Opens what is not open yet of several nodes' links, all at once.
void open_links(const std::vector<NodeId>& nodes);

// Whether this session is at work on a node: in a transaction there, or reading from it.
bool works_on_nodes();

// Runs one statement in the node's part of the transaction (writes = true makes it take part in the
// commit) and returns its rows as text.
pg::Rows run(NodeId node, const std::string& sql, bool writes = true);
// The same on several nodes at once: all are asked before any is awaited.
void run_on(const std::vector<NodeId>& nodes, const std::string& sql, bool writes = true);

// Runs one statement alone on a connection of its own, outside of the transaction: for what can't
// run in one (VACUUM, CREATE INDEX CONCURRENTLY). The session's user, settings and search_path
// apply.
pg::Rows run_alone(NodeId node, const std::string& sql, const std::string& search_path);

// Closes the link of a node that leaves, or whose address has changed. Errors: kObjectNotInState
// when the node takes part in the current transaction.
void forget_link(NodeId node);

// Whether a write sent now could be this session's whole transaction: at top level, not in a block,
// nothing else written, and the client has nothing queued behind it before its Sync.
bool may_write_alone();

// Reads the answers to savepoints and transactions rolled back, as far as they have come. Until
// then whoever looks for deadlocks can't rely on what the node holds.
void take_cleanup_answers_of_session() noexcept;

// The prefix of the global ids of this herd's prepared transactions; model/prepared_id.hpp has the
// rest.
std::string gid_prefix(const catalog::Catalog& herd);

// From _PG_init.
void initialize_session();

}  // namespace herd::transaction
