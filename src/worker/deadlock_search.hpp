// Looks for deadlocks over several servers while sessions wait long for nodes: asks all of them who
// waits for what, and ends the wait of whoever has to give way. Never waits itself.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "catalog/herd_catalog.hpp"
#include "failover/deadlock.hpp"
#include "worker/node_watch.hpp"

namespace herd::worker {

class DeadlockSearch {
public:
    using Watches = std::map<NodeId, NodeWatch*>;

    // Which herd this is; anew whenever the catalogue has been looked at.
    void set_herd(const catalog::Catalog& herd);
    // Whatever is to do now.
    void step(const Watches& watches, std::int64_t now);
    // When step() wants to be called, if nothing happens on a connection before.
    [[nodiscard]] std::int64_t next_time() const;

private:
    void begin(const Watches& watches, std::int64_t now);
    void ask(const Watches& watches, std::int64_t now);
    void collect(const Watches& watches);
    void conclude(std::int64_t now);
    void look_here();
    void end_wait(const Deadlock& deadlock);

    DeadlockFinder finder_;
    Observation observation_;  // of the look under way
    std::string coordinator_name_;
    std::set<NodeId> to_ask_;
    std::set<NodeId> asked_;
    bool looking_ = false;
    bool requested_ = false;  // by a session whose wait has become a long one
    std::int64_t began_at_ = 0;
    std::int64_t earliest_ = 0;  // when another look may begin, and when it is due
    std::int64_t next_look_ = 0;
};

}  // namespace herd::worker
