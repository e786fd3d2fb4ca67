// A short transaction of a background worker.
//
//   pg::Transaction transaction;
//   pg::query(...);
//   transaction.commit();
//
// When an error ends the scope before commit(), the worker's main loop aborts the transaction.
#pragma once

#include "pg/guard.hpp"

namespace herd::pg {

class Transaction {
public:
    Transaction();
    void commit();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

private:
    ::MemoryContext context_;
};

// Reports an error to the server's log and cleans up after it; for a worker's main loop. Never
// fails.
void log_and_abort(const Error& error) noexcept;

}  // namespace herd::pg
