// The setting herd.ownership_filter: whether statements over distributed tables leave out the rows
// that this server holds but does not own. It belongs to plans: a change makes them all again.
#pragma once

namespace herd::pg {

enum class OwnershipFilter {
    kAuto,   // while this server holds such rows
    kAlways  // for tests, and as a safety belt
};

OwnershipFilter ownership_filter();

// What the text of a statement in an internal session begins with when it means every row that the
// server holds: a statement that clears a table, say.
constexpr const char* kEveryRowMark = "/*herd every row*/ ";
bool means_every_row(const char* query_string);

// From _PG_init.
void define_ownership_filter();

}  // namespace herd::pg
