#include "failover/wait_graph.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "model/prepared_id.hpp"

namespace herd {

namespace {

struct Mode {
    const char* name;
    unsigned excludes;  // bit n: the n-th of this table
};

constexpr std::array<Mode, 8> kModes = {{
    {"AccessShareLock", 0b1000'0000},
    {"RowShareLock", 0b1100'0000},
    {"RowExclusiveLock", 0b1111'0000},
    {"ShareUpdateExclusiveLock", 0b1111'1000},
    {"ShareLock", 0b1110'1100},
    {"ShareRowExclusiveLock", 0b1111'1100},
    {"ExclusiveLock", 0b1111'1110},
    {"AccessExclusiveLock", 0b1111'1111},
}};

std::size_t position_of(const std::string& name) {
    return static_cast<std::size_t>(
        std::find_if(kModes.begin(), kModes.end(),
                     [&](const Mode& mode) { return name == mode.name; }) -
        kModes.begin());
}

class EdgeMaker {
public:
    explicit EdgeMaker(const Observation& observation) : observation_(observation) {}

    std::vector<WaitEdge> make() {
        for (const ServerReport& server : observation_.servers) {
            for (const ServerProcess& process : server.processes) {
                add_lock_waits(server.node, process);
                add_worker_wait(server.node, process);
            }
        }
        for (const Session& session : observation_.sessions) {
            add_session(session);
        }
        return std::move(edges_);
    }

private:
    void add_lock_waits(NodeId node, const ServerProcess& process) {
        if (process.waits_since == 0) {
            return;
        }
        Vertex from{node, process.pid, {}};
        for (int pid : process.blockers) {
            if (pid != 0) {
                edges_.push_back({from, {node, pid, {}}, WaitKind::kLock, process.waits_since});
            }
        }
        for (const PreparedHolder& holder : process.prepared) {
            if (modes_conflict(process.mode, holder.mode)) {
                edges_.push_back(
                    {from, {node, 0, holder.gid}, WaitKind::kLock, process.waits_since});
                add_committer(node, holder.gid);
            }
        }
    }

    // A prepared transaction ends when its session says so, and the session may wait.
    void add_committer(NodeId node, const std::string& gid) {
        if (const Session* session = committer_of(observation_, gid)) {
            edges_.push_back({{node, 0, gid},
                              {observation_.coordinator, session->pid, {}},
                              WaitKind::kOwner,
                              session->xid});
        }
    }

    void add_worker_wait(NodeId node, const ServerProcess& process) {
        const ServerProcess* leader =
            process.leader == 0 ? nullptr : find_process(observation_, node, process.leader);
        if (leader != nullptr && leader->waits_for_workers) {
            edges_.push_back({{node, process.leader, {}},
                              {node, process.pid, {}},
                              WaitKind::kWorker,
                              process.waits_since});
        }
    }

    void add_session(const Session& session) {
        Vertex itself{observation_.coordinator, session.pid, {}};
        for (std::size_t i = 0; i < session.links.size(); ++i) {
            const LinkEnd& link = session.links[i];
            Vertex end{link.node, link.pid, {}};
            if (session.wait != 0 && session.waits_for == static_cast<int>(i)) {
                edges_.push_back(
                    {itself, end, WaitKind::kAnswer, static_cast<std::int64_t>(session.wait)});
            } else if (link.in_transaction) {
                add_owner(itself, end, link.settled);
            }
        }
    }

    // One that still works may fail by itself, and so give way.
    void add_owner(const Vertex& session, const Vertex& end, bool settled) {
        const ServerProcess* process = find_process(observation_, end.node, end.pid);
        if (process != nullptr && process->idle) {
            edges_.push_back({end, session, WaitKind::kOwner, process->state_since, !settled});
        }
    }

    const Observation& observation_;
    std::vector<WaitEdge> edges_;
};

}  // namespace

bool Vertex::operator==(const Vertex& other) const {
    return node == other.node && pid == other.pid && gid == other.gid;
}

bool Vertex::operator<(const Vertex& other) const {
    return std::tie(node, pid, gid) < std::tie(other.node, other.pid, other.gid);
}

bool WaitEdge::operator<(const WaitEdge& other) const {
    return std::tie(from, to, kind, stamp, may_end) <
           std::tie(other.from, other.to, other.kind, other.stamp, other.may_end);
}

std::vector<WaitEdge> wait_edges(const Observation& observation) {
    return EdgeMaker(observation).make();
}

const ServerProcess* find_process(const Observation& observation, NodeId node, int pid) {
    for (const ServerReport& server : observation.servers) {
        if (server.node == node) {
            for (const ServerProcess& process : server.processes) {
                if (process.pid == pid) {
                    return &process;
                }
            }
        }
    }
    return nullptr;
}

const Session* find_session(const Observation& observation, int pid) {
    auto found = std::find_if(observation.sessions.begin(), observation.sessions.end(),
                              [&](const Session& session) { return session.pid == pid; });
    return found == observation.sessions.end() ? nullptr : &*found;
}

const Session* owner_of(const Observation& observation, NodeId node, int pid) {
    for (const Session& session : observation.sessions) {
        for (const LinkEnd& link : session.links) {
            if (link.node == node && link.pid == pid) {
                return &session;
            }
        }
    }
    return nullptr;
}

const Session* committer_of(const Observation& observation, const std::string& gid) {
    std::optional<PreparedId> id = parse_prepared_id(gid);
    if (!id || id->cluster_id != observation.cluster_id || id->run != observation.run) {
        return nullptr;
    }
    auto xid = static_cast<std::uint32_t>(id->xid);
    auto found = std::find_if(observation.sessions.begin(), observation.sessions.end(),
                              [&](const Session& session) { return session.xid == xid; });
    return found == observation.sessions.end() ? nullptr : &*found;
}

bool modes_conflict(const std::string& left, const std::string& right) {
    std::size_t first = position_of(left);
    std::size_t second = position_of(right);
    return first < kModes.size() && second < kModes.size() &&
           (kModes[first].excludes >> second & 1U) != 0;
}

}  // namespace herd
