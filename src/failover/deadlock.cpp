#include "failover/deadlock.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <tuple>
#include <utility>

namespace herd {

namespace {

using Circle = std::vector<WaitEdge>;

// The edges, as far as something can still be a circle.
class Graph {
public:
    explicit Graph(const std::vector<WaitEdge>& edges) {
        for (const WaitEdge& edge : edges) {
            next_[edge.from].insert(edge);
        }
    }

    void remove(const Vertex& vertex) {
        next_.erase(vertex);
        for (auto& entry : next_) {
            drop_edges_to(entry.second, [&](const Vertex& to) { return to == vertex; });
        }
    }

    // Empty when there is none.
    Circle find_circle() {
        reduce();
        if (next_.empty()) {
            return {};
        }
        // Everybody left waits for somebody left, so this way comes back to where it has been.
        Circle way;
        std::map<Vertex, std::size_t> places;
        Vertex here = next_.begin()->first;
        while (places.emplace(here, way.size()).second) {
            way.push_back(*next_[here].begin());
            here = way.back().to;
        }
        return {way.begin() + static_cast<std::ptrdiff_t>(places[here]), way.end()};
    }

private:
    template <typename Test>
    static bool drop_edges_to(std::set<WaitEdge>& edges, Test&& test) {
        bool dropped = false;
        for (auto edge = edges.begin(); edge != edges.end();) {
            bool drop = test(edge->to);
            dropped = dropped || drop;
            edge = drop ? edges.erase(edge) : std::next(edge);
        }
        return dropped;
    }

    // Whoever waits for nobody goes on, and then so do those that wait for him alone.
    void reduce() {
        bool changed = true;
        while (changed) {
            changed = false;
            for (auto entry = next_.begin(); entry != next_.end();) {
                drop_edges_to(entry->second,
                              [&](const Vertex& to) { return next_.count(to) == 0; });
                bool free = entry->second.empty();
                changed = changed || free;
                entry = free ? next_.erase(entry) : std::next(entry);
            }
        }
    }

    std::map<Vertex, std::set<WaitEdge>> next_;
};

// A server finds circles of its own locks by itself.
bool spans_servers(const Circle& circle) {
    return std::any_of(circle.begin(), circle.end(), [](const WaitEdge& edge) {
        return edge.kind == WaitKind::kAnswer || edge.kind == WaitKind::kOwner;
    });
}

const Session* session_at(const Observation& observation, const Vertex& vertex) {
    return vertex.node == observation.coordinator && vertex.pid != 0
               ? find_session(observation, vertex.pid)
               : nullptr;
}

// The session whose end would take that vertex out of the graph.
const Session* session_behind(const Observation& observation, const Vertex& vertex) {
    const Session* session = session_at(observation, vertex);
    if (session == nullptr && vertex.pid != 0) {
        session = owner_of(observation, vertex.node, vertex.pid);
        // Not one that goes about other things while a node works for it.
        session = session != nullptr && session->wait == 0 ? nullptr : session;
    }
    return session;
}

// Whom to cancel: the youngest. Not null in a circle that spans servers, whose way from one server
// to another leads through a session.
const Session* victim_of(const Circle& circle, const Observation& observation) {
    const Session* victim = nullptr;
    for (const WaitEdge& edge : circle) {
        const Session* session = session_behind(observation, edge.from);
        if (session != nullptr &&
            (victim == nullptr ||
             std::tie(victim->started, victim->pid) < std::tie(session->started, session->pid))) {
            victim = session;
        }
    }
    return victim;
}

// The circles, each from its victim on; a victim that goes takes all its circles with it.
std::vector<std::pair<Circle, const Session*>> circles_with_victims(
    const std::vector<WaitEdge>& edges, const Observation& observation) {
    std::vector<std::pair<Circle, const Session*>> found;
    Graph graph(edges);
    for (Circle circle = graph.find_circle(); !circle.empty(); circle = graph.find_circle()) {
        const Session* victim = spans_servers(circle) ? victim_of(circle, observation) : nullptr;
        if (victim == nullptr) {
            graph.remove(circle.front().from);
            continue;
        }
        graph.remove({observation.coordinator, victim->pid, {}});
        for (const LinkEnd& link : victim->links) {
            graph.remove({link.node, link.pid, {}});
        }
        auto first = std::find_if(circle.begin(), circle.end(), [&](const WaitEdge& edge) {
            return session_behind(observation, edge.from) == victim;
        });
        std::rotate(circle.begin(), first, circle.end());
        found.emplace_back(std::move(circle), victim);
    }
    return found;
}

class Storyteller {
public:
    explicit Storyteller(const Observation& observation) : observation_(observation) {}

    Deadlock tell(const Circle& circle, const Session& victim) const {
        Deadlock deadlock;
        deadlock.victim = victim;
        std::set<std::string> named;
        for (const WaitEdge& edge : circle) {
            if (edge.kind != WaitKind::kLock) {
                continue;
            }
            deadlock.waits += (deadlock.waits.empty() ? "" : "\n") + line_of(edge);
            for (const Vertex& vertex : {edge.from, edge.to}) {
                Party party = party_of(vertex);
                if (!party.statement.empty() && named.insert(party.name).second) {
                    deadlock.parties.push_back(std::move(party));
                }
            }
        }
        return deadlock;
    }

private:
    [[nodiscard]] std::string name_of(NodeId node) const {
        for (const ServerReport& server : observation_.servers) {
            if (server.node == node) {
                return "\"" + server.name + "\"";
            }
        }
        return "node " + std::to_string(node.value);
    }

    [[nodiscard]] const Session* owner(const Vertex& vertex) const {
        if (vertex.pid == 0) {
            return committer_of(observation_, vertex.gid);
        }
        const Session* session = session_at(observation_, vertex);
        return session != nullptr ? session : owner_of(observation_, vertex.node, vertex.pid);
    }

    [[nodiscard]] std::string place_of(const Vertex& vertex) const {
        std::string text = vertex.pid == 0 ? "prepared transaction \"" + vertex.gid + "\""
                                           : "process " + std::to_string(vertex.pid);
        return text + " on " + name_of(vertex.node);
    }

    [[nodiscard]] std::string line_of(const WaitEdge& edge) const {
        std::string text = place_of(edge.from) + of_transaction(edge.from);
        text[0] = 'P';  // process
        const ServerProcess* process = find_process(observation_, edge.from.node, edge.from.pid);
        return text + " waits for " + process->mode + " on " + process->lock + "; blocked by " +
               place_of(edge.to) + of_transaction(edge.to) + ".";
    }

    [[nodiscard]] std::string of_transaction(const Vertex& vertex) const {
        const Session* session = owner(vertex);
        return session == nullptr ? "" : " (transaction " + session->id + ")";
    }

    [[nodiscard]] Party party_of(const Vertex& vertex) const {
        if (const Session* session = owner(vertex)) {
            Vertex there{observation_.coordinator, session->pid, {}};
            return {"transaction " + session->id + " (" + place_of(there) + ")", session->user,
                    session->statement};
        }
        const ServerProcess* process = find_process(observation_, vertex.node, vertex.pid);
        return {place_of(vertex), 0, process == nullptr ? "" : process->statement};
    }

    const Observation& observation_;
};

}  // namespace

std::vector<Deadlock> DeadlockFinder::observe(const Observation& observation, std::int64_t now) {
    std::vector<WaitEdge> edges = wait_edges(observation);
    std::vector<WaitEdge> certain;
    std::map<WaitEdge, std::int64_t> seen;
    for (const WaitEdge& edge : edges) {
        auto before = first_seen_.find(edge);
        seen[edge] = before == first_seen_.end() ? now : before->second;
        if (before != first_seen_.end() &&
            (!edge.may_end || now - before->second >= kUnsettledMs)) {
            certain.push_back(edge);
        }
    }
    first_seen_ = std::move(seen);
    std::vector<Deadlock> deadlocks;
    Storyteller storyteller(observation);
    for (const auto& [circle, victim] : circles_with_victims(certain, observation)) {
        deadlocks.push_back(storyteller.tell(circle, *victim));
    }
    suspects_ = !circles_with_victims(edges, observation).empty();
    return deadlocks;
}

std::string describe(const Deadlock& deadlock, const std::function<bool(const Party&)>& shows) {
    std::string text = deadlock.waits;
    for (const Party& party : deadlock.parties) {
        if (shows(party)) {
            std::string line = party.name + ": " + party.statement;
            line[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(line[0])));
            text += "\n" + line;
        }
    }
    return text;
}

}  // namespace herd
