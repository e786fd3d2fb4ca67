// Statements that need a whole database unused (DROP, RENAME, as a TEMPLATE ...) find its
// supervisor gone, and those that make a database have it looked at.
#pragma once

namespace herd::worker {

// From _PG_init: the hook.
void initialize_database_statements();

}  // namespace herd::worker
