// PostgreSQL's wait for a lock knows but one way out that another process can open: the cancel of
// the statement. Where that is meant to end a deadlock over several servers, the error says so:
// 40P01 instead of 57014, from its very beginning, so that handlers in PL/pgSQL see it.
#pragma once

#include "pg/guard.hpp"

namespace herd::transaction {

// For PostgreSQL's list of those who add to an error.
void tell_deadlock(void*);

// Runs f, whose lock waits may be ended so.
template <typename F>
void tell_deadlocks(F&& f) {
    ::ErrorContextCallback teller{::error_context_stack, tell_deadlock, nullptr};
    ::error_context_stack = &teller;
    f();
    ::error_context_stack = teller.previous;
}

// From _PG_init: for waits outside of all hooks (statements are parsed under locks), the log and
// the client are told, though no handler.
void initialize_deadlock_error();

}  // namespace herd::transaction
