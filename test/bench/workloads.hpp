// What a herd must send for each transaction of a workload, and in which order: the plan of one
// transaction is a row of steps. A step begins when the answers of the one before are complete;
// its exchanges are sent together.
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "link.hpp"

namespace emulation {

// Links of a session, in this order: the coordinator, then the nodes. Row `id` of the table
// accounts is on node 1 + id % 2.
constexpr std::size_t kCoordinator = 0;
constexpr std::size_t kLinks = 3;

struct Exchange {
    std::size_t link;
    std::vector<Call> calls;
};
using Step = std::vector<Exchange>;
using Plan = std::vector<Step>;

// What a plan may depend on beside the workload.
struct Chance {
    std::mt19937& random;
    int rows;          // of the table accounts
    std::string name;  // of the transaction, unique over all sessions
};

struct Workload {
    const char* name;
    Plan (*plan)(Chance& chance);
};

const std::vector<Workload>& workloads();

// What every link prepares for any of them.
const std::vector<Statement>& statements();

}  // namespace emulation
