// Who waits for whom in the whole herd, from what each server says about locks and what the
// coordinator knows about its sessions and their links.
//
// An edge says that its first process goes no further before the second one does something. What a
// process will wait for later is no edge: a graph with a circle must be a deadlock, not a fear of
// one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.hpp"

namespace herd {

struct PreparedHolder {
    std::string gid;
    std::string mode;  // in which it holds the lock
};

// A process that waits for a lock, or that another one waits for, as its own server shows it.
struct ServerProcess {
    int pid = 0;
    int leader = 0;                        // of the parallel query that it works for
    std::int64_t waits_since = 0;          // its wait for a lock began; 0: it waits for none
    std::string mode;                      // of the lock that it waits for
    std::string lock;                      // what it waits for: "transaction 731"
    std::vector<int> blockers;             // 0 among them: prepared transactions
    std::vector<PreparedHolder> prepared;  // that hold the lock in any mode
    bool idle = false;                     // in a transaction, between two statements
    bool waits_for_workers = false;
    std::int64_t state_since = 0;  // since when it is idle
    std::string statement;
};

struct ServerReport {
    NodeId node;
    std::string name;
    std::vector<ServerProcess> processes;
};

// The other end of a session's connection.
struct LinkEnd {
    NodeId node;
    int pid = 0;
    bool in_transaction = false;  // what it holds stays until this session ends the transaction
    bool settled = true;          // the session has the answer to each ROLLBACK that it sent there
};

// A session of the coordinator that has connections to nodes.
struct Session {
    int pid = 0;
    std::string id;            // of its distributed transaction
    std::int64_t started = 0;  // when that began
    std::uint32_t xid = 0;     // its transaction id on the coordinator; 0: none
    std::uint32_t user = 0;
    std::uint64_t wait = 0;  // counts its waits for nodes; 0: it waits for none now
    int waits_for = -1;      // for which of its links
    std::vector<LinkEnd> links;
    std::string statement;
};

// One look at the whole herd.
struct Observation {
    NodeId coordinator;
    std::string cluster_id;
    std::uint64_t run = 0;              // of the coordinator's server
    std::vector<Session> sessions;      // read before any server was asked
    std::vector<ServerReport> servers;  // the coordinator's own among them
};

// A process, or a prepared transaction (then pid is 0).
struct Vertex {
    NodeId node;
    int pid = 0;
    std::string gid;

    bool operator==(const Vertex& other) const;
    bool operator<(const Vertex& other) const;
};

enum class WaitKind {
    kLock,    // for a lock that the other one holds, or waits for before it
    kWorker,  // for its own parallel worker
    kAnswer,  // a session, for what a node does
    kOwner,   // a node's process, idle in its transaction, for the session that it works for
};

struct WaitEdge {
    Vertex from;
    Vertex to;
    WaitKind kind = WaitKind::kLock;
    std::int64_t stamp = 0;  // the same as long as it is the same wait
    // A ROLLBACK is on its way that may end this wait, for all that the session knows.
    bool may_end = false;

    bool operator<(const WaitEdge& other) const;
};

std::vector<WaitEdge> wait_edges(const Observation& observation);

// Of a server's processes, or null.
const ServerProcess* find_process(const Observation& observation, NodeId node, int pid);
const Session* find_session(const Observation& observation, int pid);
// The session whose link ends at that process, or null.
const Session* owner_of(const Observation& observation, NodeId node, int pid);
// The session that is between PREPARE and the end of that transaction, or null.
const Session* committer_of(const Observation& observation, const std::string& gid);

// Whether PostgreSQL's lock modes, by their names in pg_locks, exclude each other.
bool modes_conflict(const std::string& left, const std::string& right);

}  // namespace herd
