// The background workers' front door.
#pragma once

namespace herd::worker {

// Starts this database's supervisor when the transaction commits.
void start_supervisor_at_commit();

// From _PG_init: launcher, shared memory, settings, hooks.
void initialize();

}  // namespace herd::worker
