#include "worker/supervisor.hpp"

#include <algorithm>
#include <cstring>

#include "catalog/decision.hpp"
#include "catalog/node_state.hpp"
#include "pg/counters.hpp"
#include "pg/failpoint.hpp"
#include "pg/server_run.hpp"
#include "pg/transaction.hpp"
#include "pg/waiter.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/gate.hpp"
#include "worker/registry.hpp"

extern "C" {
#include "utils/timestamp.h"
}

namespace herd::worker {

namespace {

constexpr std::int64_t kLookMs = 1000;    // at the catalogue, at least
constexpr std::int64_t kSeenMs = 10'000;  // between two writes of last_seen

bool same_server(const Server& a, const Server& b) {
    return a.host == b.host && a.port == b.port && a.dbname == b.dbname &&
           a.username == b.username && a.options == b.options;
}

bool is_in_doubt(Verdict verdict) {
    return verdict == Verdict::kCommit || verdict == Verdict::kRollBack ||
           verdict == Verdict::kUndecidable;
}

}  // namespace

bool Supervisor::tick() {
    std::int64_t now = pg::now_ms();
    HERD_FAILPOINT("supervisor.tick");
    if (take_wake()) {
        for (auto& entry : nodes_) {
            entry.second.watch->probe_soon();
        }
    }
    bool due = now - looked_at_ >= kLookMs;
    for (auto& entry : nodes_) {
        entry.second.watch->on_time(now);
        due = due || entry.second.watch->is_due(now);
    }
    conclude(now);
    if (due && !look_at_catalogue(now)) {
        return false;
    }
    look_for_deadlocks(now);
    ++tick_;
    publish();
    return true;
}

bool Supervisor::look_at_catalogue(std::int64_t now) {
    pg::Transaction transaction;
    const catalog::Catalog* herd = catalog::current();
    bool ours = herd != nullptr && herd->is_coordinator();
    if (ours) {
        update_nodes(*herd);
        deadlocks_.set_herd(*herd);
        read_decisions(*herd, now);
    }
    transaction.commit();
    looked_at_ = now;
    if (ours) {
        ask_nodes(now);
    }
    return ours;
}

void Supervisor::look_for_deadlocks(std::int64_t now) {
    DeadlockSearch::Watches watches;
    for (auto& entry : nodes_) {
        watches[entry.first] = entry.second.watch.get();
    }
    deadlocks_.step(watches, now);
}

void Supervisor::update_nodes(const catalog::Catalog& herd) {
    if (herd.cluster_id != cluster_id_) {
        nodes_.clear();
    }
    cluster_id_ = herd.cluster_id;
    term_ = herd.term;
    for (auto entry = nodes_.begin(); entry != nodes_.end();) {
        const catalog::NodeEntry* node = herd.node(entry->first);
        bool keep = node != nullptr && same_server(node->primary, entry->second.server) &&
                    node->name == entry->second.watch->name();
        entry = keep ? std::next(entry) : nodes_.erase(entry);
    }
    std::map<NodeId, Health> known;
    for (const catalog::NodeEntry& node : herd.nodes) {
        if (node.id == herd.self || node.primary.host.empty() || nodes_.count(node.id) != 0) {
            continue;
        }
        if (known.empty()) {
            known = catalog::load_health();
        }
        Node& added = nodes_[node.id];
        added.watch = std::make_unique<NodeWatch>(node.id, node.name, herd.cluster_id);
        added.server = node.primary;
        added.health = known[node.id];
    }
}

// The rows of herd.dist_transaction are read before the node is asked: what has committed by then
// and is not on the node's list is finished there.
void Supervisor::read_decisions(const catalog::Catalog& herd, std::int64_t now) {
    std::map<NodeId, std::vector<std::uint64_t>> decided;
    std::map<std::uint64_t, std::vector<NodeId>> heard;
    std::vector<std::string> finished;
    for (const catalog::Decision& decision : catalog::recorded_decisions()) {
        std::vector<NodeId>& heard_by = heard[decision.xid];
        heard_by = std::move(heard_[decision.xid]);
        bool open = false;
        for (NodeId node : decision.nodes) {
            bool has_heard = std::find(heard_by.begin(), heard_by.end(), node) != heard_by.end();
            if (!has_heard && herd.node(node) != nullptr) {
                decided[node].push_back(decision.xid);
                open = true;
            }
        }
        if (!open) {
            finished.push_back(decision.place);
        }
    }
    heard_ = std::move(heard);
    for (auto& [id, node] : nodes_) {
        if (node.watch->is_due(now)) {
            node.decided = std::move(decided[id]);
            if (node.watch->needs_endpoint()) {
                node.endpoint = transaction::endpoint_of(herd, id);
            }
        }
    }
    if (!finished.empty()) {
        HERD_FAILPOINT("supervisor.before_forget");
        catalog::forget_decisions(finished);
        HERD_FAILPOINT("supervisor.forgotten");
    }
}

void Supervisor::ask_nodes(std::int64_t now) {
    for (auto& entry : nodes_) {
        Node& node = entry.second;
        if (node.endpoint) {
            node.watch->connect_and_ask(*std::exchange(node.endpoint, {}), now);
        } else if (node.watch->is_due(now)) {
            node.watch->ask(now);
        }
    }
}

void Supervisor::conclude(std::int64_t now) {
    for (auto& entry : nodes_) {
        Node& node = entry.second;
        if (int settled = node.watch->take_settled()) {
            pg::count(pg::Counter::kRecovered, static_cast<std::uint64_t>(settled));
            HERD_FAILPOINT("supervisor.settled");
        }
        std::string complaint = node.watch->take_complaint();
        std::optional<Answer> answer = node.watch->take_answer();
        if (!complaint.empty() || answer) {
            pg::Transaction transaction;
            if (!complaint.empty()) {
                catalog::record_worker_event("recovery_failed", node.watch->name(), complaint);
            }
            if (answer) {
                take_in(node, std::move(*answer), now);
            }
            transaction.commit();
        }
    }
}

void Supervisor::take_in(Node& node, Answer answer, std::int64_t now) {
    store_health(node, next_health(node.health, answer.probe), now);
    if (!answer.probe.ours) {
        node.waiting = node.decided;
        return;
    }
    node.prepared = std::move(answer.prepared);
    node.asked_at = answer.asked_at;
    node.listed_at = ::GetCurrentTimestamp();
    std::vector<std::string> commands = judge_prepared(node);
    tell_gate(node);
    if (!commands.empty()) {
        HERD_FAILPOINT("supervisor.before_settle");
    }
    node.watch->settle(commands, now);
    if (!commands.empty()) {
        HERD_FAILPOINT("supervisor.settle_sent");
    }
    note_heard(node);
}

void Supervisor::store_health(Node& node, const Health& next, std::int64_t now) {
    bool changed = next.state != node.health.state || next.message != node.health.message;
    bool seen = next.failures == 0;
    if (changed || (seen && now - node.seen_written_at >= kSeenMs)) {
        if (!catalog::store_health(node.watch->node(), next, seen)) {
            return;
        }
        node.seen_written_at = now;
    }
    if (next.state != node.health.state) {
        catalog::record_worker_event(
            "node_state", node.watch->name(),
            std::string(word_for(next.state)) + (next.message.empty() ? "" : ": ") + next.message);
    }
    node.health = next;
}

// The commands that finish what can be finished.
std::vector<std::string> Supervisor::judge_prepared(Node& node) {
    std::vector<std::string> commands;
    node.verdicts.clear();
    Decider decider{cluster_id_, term_, static_cast<std::uint64_t>(pg::server_run())};
    for (const PreparedTransaction& transaction : node.prepared) {
        TransactionStatus status = catalog::transaction_status(transaction.id.xid);
        // After the status: a transaction that has ended by then shows its row, or has none. What
        // is its session's own is not looked for: that reads the whole table.
        bool recorded = status != TransactionStatus::kInProgress &&
                        transaction.age_ms >= kSessionsOwnMs &&
                        catalog::is_recorded(transaction.id);
        Verdict verdict = judge(transaction, decider, status, recorded);
        node.verdicts.push_back(verdict);
        std::string id = "'" + transaction.id.text() + "'";
        if (verdict == Verdict::kCommit) {
            commands.push_back("COMMIT PREPARED " + id);
        } else if (verdict == Verdict::kRollBack) {
            commands.push_back("ROLLBACK PREPARED " + id);
        } else if (verdict == Verdict::kUndecidable) {
            report_undecidable(node, transaction);
        }
    }
    return commands;
}

// After a start of this server nobody but the nodes knows what is half committed.
void Supervisor::tell_gate(const Node& node) const {
    std::vector<std::uint64_t> prepared;
    std::vector<std::uint64_t> committed;
    bool first = !transaction::is_looked_at(node.watch->node());
    for (const PreparedTransaction& held : node.prepared) {
        prepared.push_back(held.id.xid);
        if (first && catalog::is_recorded(held.id)) {
            committed.push_back(held.id.xid);
        }
    }
    transaction::take_look(node.watch->node(), node.asked_at, prepared, committed);
}

void Supervisor::report_undecidable(const Node& node, const PreparedTransaction& transaction) {
    std::string id = transaction.id.text();
    if (std::find(reported_.begin(), reported_.end(), id) == reported_.end()) {
        reported_.push_back(id);
        catalog::record_worker_event(
            "undecidable", id,
            "node \"" + node.watch->name() +
                "\" holds it prepared, and this coordinator does not know what became of it");
    }
}

// What the node does not hold, it has finished, or never had to.
void Supervisor::note_heard(Node& node) {
    node.waiting.clear();
    for (std::uint64_t xid : node.decided) {
        bool listed = std::any_of(node.prepared.begin(), node.prepared.end(),
                                  [&](const auto& held) { return held.id.xid == xid; });
        if (listed) {
            node.waiting.push_back(xid);
        } else {
            heard_[xid].push_back(node.watch->node());
        }
    }
    node.decided.clear();
}

std::vector<NodeReport> Supervisor::reports() const {
    std::vector<NodeReport> found;
    for (const auto& entry : nodes_) {
        const Node& node = entry.second;
        NodeReport report{node.watch->name(), node.health, 0, 0};
        for (Verdict verdict : node.verdicts) {
            report.in_doubt += is_in_doubt(verdict) ? 1 : 0;
            report.undecidable += verdict == Verdict::kUndecidable ? 1 : 0;
        }
        if (node.health.state != NodeState::kUp) {
            report.in_doubt = std::max(report.in_doubt, static_cast<int>(node.waiting.size()));
        }
        found.push_back(report);
    }
    return found;
}

void Supervisor::show_in_doubt(const Node& node, std::vector<InDoubt>& shown) const {
    constexpr std::size_t kMostShown = 100;
    auto show = [&](const PreparedId& id, Verdict verdict, ::TimestampTz since) {
        InDoubt line{};
        line.node = id.node.value;
        line.xid = id.xid;
        std::strncpy(line.gid, id.text().c_str(), sizeof line.gid - 1);
        std::strncpy(line.status, word_for(verdict), sizeof line.status - 1);
        line.since = since;
        if (shown.size() < kMostShown) {
            shown.push_back(line);
        }
    };
    for (std::size_t i = 0; i < node.verdicts.size(); ++i) {
        if (is_in_doubt(node.verdicts[i])) {
            const PreparedTransaction& held = node.prepared[i];
            show(held.id, node.verdicts[i], node.listed_at - held.age_ms * 1000);
        }
    }
    // A node that is away may hold what was still in progress when it was asked last.
    for (std::uint64_t xid : node.waiting) {
        bool listed = std::any_of(shown.begin(), shown.end(), [&](const InDoubt& line) {
            return line.node == node.watch->node().value && line.xid == xid;
        });
        if (node.health.state != NodeState::kUp && !listed) {
            show({cluster_id_, term_, node.watch->node(), xid, 0}, Verdict::kCommit, 0);
        }
    }
}

void Supervisor::publish() {
    std::vector<InDoubt> shown;
    for (const auto& entry : nodes_) {
        show_in_doubt(entry.second, shown);
    }
    publish_in_doubt(shown);
    std::string sentence = situation(reports());
    publish_tick(tick_, sentence);
    if (sentence != sentence_) {
        sentence_ = sentence;
        pg::call([&] { ereport(LOG, (errmsg_internal("herd: %s", sentence.c_str()))); });
    }
}

void Supervisor::wait() {
    pg::SocketSet set(static_cast<int>(nodes_.size()));
    std::int64_t until = std::min(looked_at_ + kLookMs, deadlocks_.next_time());
    for (auto& entry : nodes_) {
        NodeWatch& watch = *entry.second.watch;
        until = std::min(until, watch.next_time());
        if (watch.socket() >= 0 && watch.events() != 0) {
            set.add(watch.socket(), watch.events(), &watch);
        }
    }
    for (void* ready : set.wait(until - pg::now_ms())) {
        static_cast<NodeWatch*>(ready)->on_socket(pg::now_ms());
    }
}

}  // namespace herd::worker
