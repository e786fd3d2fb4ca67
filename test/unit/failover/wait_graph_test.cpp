#include "failover/wait_graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "model/prepared_id.hpp"

namespace herd {
namespace {

constexpr NodeId kHere{1};
constexpr NodeId kNorth{2};

const std::string kOurs = PreparedId{"c", 1, kNorth, (1ULL << 32U) + 700, 55}.text();

ServerProcess waiting(int pid, std::vector<int> blockers) {
    ServerProcess process;
    process.pid = pid;
    process.waits_since = 1000;
    process.mode = "ShareLock";
    process.lock = "transaction 7";
    process.blockers = std::move(blockers);
    return process;
}

ServerProcess idle(int pid) {
    ServerProcess process;
    process.pid = pid;
    process.idle = true;
    process.state_since = 500;
    return process;
}

Session session(int pid, std::vector<LinkEnd> links, int waits_for = -1) {
    Session made;
    made.pid = pid;
    made.id = "1:" + std::to_string(pid) + "/1";
    made.links = std::move(links);
    made.waits_for = waits_for;
    made.wait = waits_for < 0 ? 0 : 9;
    return made;
}

Observation observation(std::vector<Session> sessions, std::vector<ServerProcess> north) {
    return {kHere, "c", 55, std::move(sessions), {{kHere, "here", {}}, {kNorth, "north", north}}};
}

std::vector<WaitEdge> edges_of(const Observation& seen) {
    std::vector<WaitEdge> edges = wait_edges(seen);
    std::sort(edges.begin(), edges.end());
    return edges;
}

TEST(WaitGraph, AProcessWaitsForThoseInItsWay) {
    auto edges = edges_of(observation({}, {waiting(10, {11, 12}), idle(11), idle(12)}));
    ASSERT_EQ(edges.size(), 2U);
    EXPECT_TRUE(edges[0].from == (Vertex{kNorth, 10, {}}));
    EXPECT_TRUE(edges[0].to == (Vertex{kNorth, 11, {}}));
    EXPECT_TRUE(edges[1].to == (Vertex{kNorth, 12, {}}));
    EXPECT_EQ(edges[0].kind, WaitKind::kLock);
    EXPECT_EQ(edges[0].stamp, 1000);
}

TEST(WaitGraph, WhoseWaitHasNoBeginningYetDoesNotWait) {
    ServerProcess process = waiting(10, {11});
    process.waits_since = 0;
    EXPECT_TRUE(edges_of(observation({}, {process, idle(11)})).empty());
}

TEST(WaitGraph, ASessionWaitsForTheLinkThatItReads) {
    auto edges = edges_of(
        observation({session(5, {{kNorth, 20, true, true}, {kNorth, 21, true, true}}, 1)}, {}));
    ASSERT_EQ(edges.size(), 1U);
    EXPECT_EQ(edges[0].kind, WaitKind::kAnswer);
    EXPECT_TRUE(edges[0].from == (Vertex{kHere, 5, {}}));
    EXPECT_TRUE(edges[0].to == (Vertex{kNorth, 21, {}}));
    EXPECT_EQ(edges[0].stamp, 9);
}

TEST(WaitGraph, AnIdleProcessWaitsForItsSession) {
    auto edges = edges_of(observation({session(5, {{kNorth, 20, true, true}})}, {idle(20)}));
    ASSERT_EQ(edges.size(), 1U);
    EXPECT_EQ(edges[0].kind, WaitKind::kOwner);
    EXPECT_TRUE(edges[0].to == (Vertex{kHere, 5, {}}));
    EXPECT_EQ(edges[0].stamp, 500);
    EXPECT_FALSE(edges[0].may_end);
}

TEST(WaitGraph, ARollbackOnItsWayMayEndTheWait) {
    auto edges = edges_of(observation({session(5, {{kNorth, 20, true, false}})}, {idle(20)}));
    ASSERT_EQ(edges.size(), 1U);
    EXPECT_TRUE(edges[0].may_end);
}

TEST(WaitGraph, AProcessThatWorksWaitsForNobody) {
    ServerProcess works = idle(20);
    works.idle = false;
    EXPECT_TRUE(edges_of(observation({session(5, {{kNorth, 20, true, true}})}, {works})).empty());
}

TEST(WaitGraph, AProcessOutsideOfATransactionWaitsForNobody) {
    EXPECT_TRUE(
        edges_of(observation({session(5, {{kNorth, 20, false, true}})}, {idle(20)})).empty());
}

// The session's message is on its way to a process that looks idle: they do not wait for each
// other.
TEST(WaitGraph, ASessionAndTheLinkThatItReadsAreNoCircle) {
    auto edges = edges_of(observation({session(5, {{kNorth, 20, true, true}}, 0)}, {idle(20)}));
    ASSERT_EQ(edges.size(), 1U);
    EXPECT_EQ(edges[0].kind, WaitKind::kAnswer);
}

TEST(WaitGraph, APreparedTransactionWaitsForItsSession) {
    ServerProcess process = waiting(10, {0});
    process.prepared = {{kOurs, "ExclusiveLock"}, {"somebody's", "RowExclusiveLock"}};
    Session committing = session(5, {});
    committing.xid = 700;
    auto edges = edges_of(observation({committing}, {process}));
    ASSERT_EQ(edges.size(), 3U);
    EXPECT_TRUE(edges[0].from == (Vertex{kNorth, 0, kOurs}));
    EXPECT_TRUE(edges[0].to == (Vertex{kHere, 5, {}}));
    EXPECT_EQ(edges[0].kind, WaitKind::kOwner);
    EXPECT_TRUE(edges[1].to == (Vertex{kNorth, 0, kOurs}));
    EXPECT_TRUE(edges[2].to == (Vertex{kNorth, 0, "somebody's"}));
}

TEST(WaitGraph, APreparedTransactionOfAnotherRunHasNoSession) {
    ServerProcess process = waiting(10, {0});
    process.prepared = {{kOurs, "ExclusiveLock"}};
    Session committing = session(5, {});
    committing.xid = 700;
    Observation seen = observation({committing}, {process});
    seen.run = 56;
    EXPECT_EQ(edges_of(seen).size(), 1U);
    seen = observation({session(5, {})}, {process});
    EXPECT_EQ(edges_of(seen).size(), 1U);
    seen.cluster_id = "d";
    EXPECT_EQ(committer_of(seen, kOurs), nullptr);
}

TEST(WaitGraph, APreparedTransactionWithAnotherModeIsInNobodysWay) {
    ServerProcess process = waiting(10, {0});
    process.prepared = {{kOurs, "AccessShareLock"}};
    EXPECT_TRUE(edges_of(observation({}, {process})).empty());
}

TEST(WaitGraph, ALeaderThatWaitsForWorkersWaitsForThisOne) {
    ServerProcess worker = waiting(11, {12});
    worker.leader = 10;
    ServerProcess leader;
    leader.pid = 10;
    EXPECT_EQ(edges_of(observation({}, {worker, leader})).size(), 1U);
    leader.waits_for_workers = true;
    auto edges = edges_of(observation({}, {worker, leader}));
    ASSERT_EQ(edges.size(), 2U);
    EXPECT_EQ(edges[0].kind, WaitKind::kWorker);
    EXPECT_TRUE(edges[0].to == (Vertex{kNorth, 11, {}}));
}

TEST(WaitGraph, OwnersAreFoundByLinks) {
    Observation seen = observation({session(5, {{kNorth, 20, true, true}})}, {});
    EXPECT_EQ(owner_of(seen, kNorth, 20)->pid, 5);
    EXPECT_EQ(owner_of(seen, kNorth, 21), nullptr);
    EXPECT_EQ(owner_of(seen, kHere, 20), nullptr);
    EXPECT_EQ(find_session(seen, 6), nullptr);
    EXPECT_EQ(find_process(seen, kNorth, 1), nullptr);
}

TEST(WaitGraph, LockModesExcludeEachOtherAsInPostgres) {
    const char* modes[] = {
        "AccessShareLock", "RowShareLock",          "RowExclusiveLock", "ShareUpdateExclusiveLock",
        "ShareLock",       "ShareRowExclusiveLock", "ExclusiveLock",    "AccessExclusiveLock"};
    // The table of PostgreSQL's manual, "Explicit Locking".
    const char* table[] = {"       X", "      XX", "    XXXX", "   XXXXX",
                           "  XX XXX", "  XXXXXX", " XXXXXXX", "XXXXXXXX"};
    for (int left = 0; left < 8; ++left) {
        for (int right = 0; right < 8; ++right) {
            EXPECT_EQ(modes_conflict(modes[left], modes[right]), table[left][right] == 'X')
                << modes[left] << " and " << modes[right];
        }
    }
    EXPECT_FALSE(modes_conflict("SIReadLock", "AccessExclusiveLock"));
    EXPECT_FALSE(modes_conflict("AccessExclusiveLock", "SIReadLock"));
}

}  // namespace
}  // namespace herd
