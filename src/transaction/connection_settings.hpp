// What a session may do with connections to nodes: docs/connections.md.
#pragma once

namespace herd::transaction {

// herd.idle_connection_timeout, in milliseconds; 0: never.
int idle_connection_timeout();
// herd.max_connections_per_node; 0: no cap.
int max_connections_per_node();
// herd.connection_timeout, in milliseconds.
int connection_timeout();

// herd.max_prepared_per_node; 0: none.
int max_prepared_per_node();

// From _PG_init, through initialize_session.
void define_connection_settings();

}  // namespace herd::transaction
