// The supervisor of one database's herd: asks every node how it is, keeps herd.node up to date, and
// finishes transactions that sessions had to leave prepared. One process, one event loop, no
// threads; no transaction is open while it waits. Each round yields one sentence about the herd.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "catalog/herd_catalog.hpp"
#include "worker/deadlock_search.hpp"
#include "worker/node_watch.hpp"
#include "worker/registry.hpp"

namespace herd::worker {

class Supervisor {
public:
    // One round: whatever is to do now. False when this database has no herd of its own any more.
    bool tick();
    // Until something happens on a connection, the latch is set, or the next thing is due.
    void wait();

private:
    struct Node {
        std::unique_ptr<NodeWatch> watch;
        Server server;                             // as it was when the watch was made
        std::optional<remote::Endpoint> endpoint;  // for the connection that is about to be made
        Health health;
        std::int64_t seen_written_at = 0;    // when last_seen was last stored
        std::vector<std::uint64_t> decided;  // had committed before the node was asked
        std::vector<std::uint64_t> waiting;  // of these, what the node may still hold
        std::vector<PreparedTransaction> prepared;
        std::vector<Verdict> verdicts;  // of prepared
        ::TimestampTz listed_at = 0;    // when prepared was read
        std::int64_t asked_at = 0;      // when it was asked for
    };

    bool look_at_catalogue(std::int64_t now);
    void update_nodes(const catalog::Catalog& herd);
    void read_decisions(const catalog::Catalog& herd, std::int64_t now);
    void ask_nodes(std::int64_t now);
    void conclude(std::int64_t now);
    void look_for_deadlocks(std::int64_t now);
    void take_in(Node& node, Answer answer, std::int64_t now);
    void store_health(Node& node, const Health& next, std::int64_t now);
    std::vector<std::string> judge_prepared(Node& node);
    void tell_gate(const Node& node) const;
    void report_undecidable(const Node& node, const PreparedTransaction& transaction);
    void note_heard(Node& node);
    void publish();
    void show_in_doubt(const Node& node, std::vector<InDoubt>& shown) const;
    [[nodiscard]] std::vector<NodeReport> reports() const;

    std::map<NodeId, Node> nodes_;
    std::map<std::uint64_t, std::vector<NodeId>> heard_;  // of a decision, since it was first read
    DeadlockSearch deadlocks_;
    std::string cluster_id_;
    std::int64_t term_ = 0;
    std::int64_t tick_ = 0;
    std::int64_t looked_at_ = 0;
    std::string sentence_;
    std::vector<std::string> reported_;  // undecidable ids that have their event
};

}  // namespace herd::worker
