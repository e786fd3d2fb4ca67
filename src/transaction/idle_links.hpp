// Links that the session keeps between transactions, and when it gives them up: after
// herd.idle_connection_timeout, or when another session waits for its turn at the node.
#pragma once

namespace herd::transaction {

// From _PG_init, through initialize_session, before initialize_commit: the transaction's own end
// comes first.
void initialize_idle_links();

}  // namespace herd::transaction
