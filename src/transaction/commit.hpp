// The end of a distributed transaction: one phase, two-phase, or rollback.
#pragma once

#include "transaction/session.hpp"

namespace herd::transaction {

// Called when a committed transaction leaves a node without its COMMIT PREPARED, so that the
// supervisor looks at once. Must not fail.
void set_in_doubt_hook(void (*hook)() noexcept);

// The transaction reads or writes rows of this server: with those of a node, its commit is one that
// others must not see by halves.
void note_rows_here() noexcept;

// From _PG_init, through initialize_session: the transaction callbacks.
void initialize_commit();

}  // namespace herd::transaction
