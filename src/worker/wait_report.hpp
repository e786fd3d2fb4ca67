// What every server of the herd is asked about locks, and its answer as values.
#pragma once

#include <string>
#include <vector>

#include "failover/wait_graph.hpp"
#include "pg/spi.hpp"

namespace herd::worker {

// Processes that wait for locks and those in their way; empty on a server where nobody waits.
const char* wait_question();
std::vector<ServerProcess> read_wait_report(const pg::Rows& rows);

}  // namespace herd::worker
