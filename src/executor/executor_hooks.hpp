// The executor's hooks: how deep in statements the backend is, and what a client's own statement
// gets in an internal session.
#pragma once

namespace herd::executor {

// From _PG_init.
void initialize_executor_hooks();

}  // namespace herd::executor
