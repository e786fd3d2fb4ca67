// The launcher: one process per server, which sees to it that every database with a herd has its
// supervisor. It looks into shared catalogues only; whether a database has a herd is found out by a
// supervisor that leaves again when there is none.
#pragma once

namespace herd::worker {

// From _PG_init, while the server preloads libraries.
void register_launcher();

}  // namespace herd::worker
