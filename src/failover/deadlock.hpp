// Finds deadlocks over several servers, and who has to give way.
//
// Servers are asked one after another, so one look alone may show a circle that never was: an edge
// that has gone by the time when another one appears. What two looks in a row show with the same
// stamps was there all the time between them, all at once. Only such edges count.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "failover/wait_graph.hpp"

namespace herd {

// A ROLLBACK that has not arrived after that long lies on a connection that stands still.
constexpr std::int64_t kUnsettledMs = 5000;

// Who takes part in a deadlock, for people.
struct Party {
    std::string name;        // "transaction 1:4/27 (process 812 on "coordinator")"
    std::uint32_t user = 0;  // of its session on the coordinator; 0: not known
    std::string statement;
};

struct Deadlock {
    Session victim;
    std::string waits;  // a line for each lock
    std::vector<Party> parties;
};

class DeadlockFinder {
public:
    // Takes in one look, and returns the deadlocks that are certain now, with one victim each: of
    // the distributed transactions in the circle the one that began last. now: milliseconds.
    std::vector<Deadlock> observe(const Observation& observation, std::int64_t now);
    // There is a circle that another look may confirm.
    [[nodiscard]] bool suspects() const { return suspects_; }
    void forget() { first_seen_.clear(); }

private:
    std::map<WaitEdge, std::int64_t> first_seen_;  // edges of the last look
    bool suspects_ = false;
};

// The detail of the error that the victim gets. Statements stand in it where `shows` allows.
std::string describe(const Deadlock& deadlock, const std::function<bool(const Party&)>& shows);

}  // namespace herd
