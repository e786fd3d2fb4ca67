// Which run of the server this is: a random number drawn when shared memory is made, so each start
// and each restart after a crash has another.
#pragma once

#include <cstdint>

namespace herd::pg {

// Positive; 0 where the library was not preloaded.
std::int64_t server_run();

// From _PG_init.
void request_server_run();

}  // namespace herd::pg
