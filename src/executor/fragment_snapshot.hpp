// One snapshot for all fragments of one statement on this node: in READ COMMITTED each of them
// would otherwise take its own, and together they would see what no single PostgreSQL could show.
#pragma once

#include <cstdint>

extern "C" {
struct QueryDesc;
}

namespace herd::executor {

// What follows in this internal session belongs to the coordinator's statement of that number; 0:
// has snapshots of its own, until a number comes again, whose snapshot is kept if it is the last.
// Negative: belongs to that statement, and has snapshots of its own.
void begin_fragments(std::int64_t number);
// That number.
std::int64_t fragment_number();
// The command of this server with which that statement began here. PostgreSQL style.
std::uint32_t fragment_command();
// From ExecutorStart of the client's own statements: gives the query the statement's snapshot.
void share_snapshot(::QueryDesc* query);
// From ExecutorStart's end: parts of one statement that change the same row find it changed by
// their own command, and leave it alone. PostgreSQL style.
void share_command(::QueryDesc* query);
// From _PG_init.
void initialize_fragment_snapshot();

}  // namespace herd::executor
