// Aggregates over one fragment, computed where the rows are: each node, and this server for its own
// rows, aggregates partially; PostgreSQL's own final Agg combines. For every aggregate with a
// combine function (and serialisation, where its state has no type). PostgreSQL style.
#pragma once

namespace herd::planner {

// From _PG_init, through initialize_remote_paths.
void initialize_remote_aggregates();

}  // namespace herd::planner
