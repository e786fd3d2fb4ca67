#include "failover/deadlock.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "model/prepared_id.hpp"

namespace herd {
namespace {

constexpr NodeId kHere{1};

// A small herd: sessions are processes 1, 2, ... of the coordinator; the process at node n that
// works for session s is 100 * n + s.
class Herd {
public:
    explicit Herd(int nodes) {
        seen_.coordinator = kHere;
        seen_.cluster_id = "c";
        seen_.run = 55;
        seen_.servers.push_back({kHere, "coordinator", {}});
        for (int n = 2; n < nodes + 2; ++n) {
            seen_.servers.push_back({NodeId{n}, "n" + std::to_string(n), {}});
        }
    }

    static int at(int node, int session) { return node == 1 ? session : 100 * node + session; }

    Session& session(int pid) {
        for (Session& session : seen_.sessions) {
            if (session.pid == pid) {
                return session;
            }
        }
        Session made;
        made.pid = pid;
        made.id = "1:" + std::to_string(pid) + "/1";
        made.started = pid;
        made.user = 10;
        made.statement = "statement " + std::to_string(pid);
        for (std::size_t n = 1; n < seen_.servers.size(); ++n) {
            NodeId node = seen_.servers[n].node;
            made.links.push_back({node, at(node.value, pid), true, true});
        }
        seen_.sessions.push_back(made);
        return seen_.sessions.back();
    }

    ServerProcess& process(int node, int pid) {
        auto& processes = seen_.servers[static_cast<std::size_t>(node - 1)].processes;
        for (ServerProcess& process : processes) {
            if (process.pid == pid) {
                return process;
            }
        }
        ServerProcess made;
        made.pid = pid;
        made.idle = true;
        made.state_since = 50;
        processes.push_back(made);
        return processes.back();
    }

    // Session `waiter` waits on the node for what session `holder` has there.
    void waits(int waiter, int node, int holder) {
        session(holder);
        Session& waiting = session(waiter);
        if (node != kHere.value) {
            waiting.wait = 7;
            waiting.waits_for = node - 2;
        }
        process(node, at(node, holder));
        ServerProcess& there = process(node, at(node, waiter));
        there.idle = false;
        there.waits_since = 1000;
        there.mode = "ShareLock";
        there.lock = "transaction " + std::to_string(holder);
        there.blockers.push_back(at(node, holder));
    }

    Observation& seen() { return seen_; }

private:
    Observation seen_;
};

std::vector<int> victims(const std::vector<Deadlock>& deadlocks) {
    std::vector<int> pids;
    for (const Deadlock& deadlock : deadlocks) {
        pids.push_back(deadlock.victim.pid);
    }
    return pids;
}

using Pids = std::vector<int>;

Pids looked_twice(Observation& seen) {
    DeadlockFinder finder;
    EXPECT_TRUE(finder.observe(seen, 0).empty());
    return victims(finder.observe(seen, 250));
}

TEST(Deadlock, TheYoungestOfACircleGivesWayOnTheSecondLook) {
    Herd herd(2);
    herd.waits(1, 2, 2);
    herd.waits(2, 3, 1);
    DeadlockFinder finder;
    EXPECT_TRUE(finder.observe(herd.seen(), 0).empty());
    EXPECT_TRUE(finder.suspects());
    EXPECT_EQ(victims(finder.observe(herd.seen(), 250)), Pids{2});
    herd.session(1).started = 3;
    EXPECT_EQ(looked_twice(herd.seen()), Pids{1});
}

TEST(Deadlock, AChainIsNone) {
    Herd herd(2);
    herd.waits(1, 2, 2);
    herd.waits(2, 3, 3);
    DeadlockFinder finder;
    for (int look = 0; look < 5; ++look) {
        EXPECT_TRUE(finder.observe(herd.seen(), look * 250).empty());
        EXPECT_FALSE(finder.suspects());
    }
}

TEST(Deadlock, AWaitThatBeganAnewIsAnother) {
    for (int changed = 0; changed < 4; ++changed) {
        Herd herd(2);
        herd.waits(1, 2, 2);
        herd.waits(2, 3, 1);
        DeadlockFinder finder;
        finder.observe(herd.seen(), 0);
        switch (changed) {
            case 0:
                herd.session(1).wait = 8;
                break;
            case 1:
                herd.process(2, 201).waits_since = 1001;
                break;
            case 2:
                herd.process(2, 202).state_since = 51;
                break;
            default:
                herd.session(2).links[0].settled = false;
        }
        EXPECT_TRUE(finder.observe(herd.seen(), 250).empty()) << changed;
        if (changed < 3) {
            EXPECT_EQ(victims(finder.observe(herd.seen(), 500)), Pids{2}) << changed;
        }
    }
}

TEST(Deadlock, ALookWithoutANodesAnswerProvesNothing) {
    Herd herd(2);
    herd.waits(1, 2, 2);
    herd.waits(2, 3, 1);
    Observation lacking = herd.seen();
    lacking.servers.pop_back();
    DeadlockFinder finder;
    finder.observe(herd.seen(), 0);
    EXPECT_TRUE(finder.observe(lacking, 250).empty());
    EXPECT_TRUE(finder.observe(herd.seen(), 500).empty());
    EXPECT_EQ(victims(finder.observe(herd.seen(), 750)), Pids{2});
}

TEST(Deadlock, ARollbackOnItsWayHasTimeToArrive) {
    Herd herd(2);
    herd.waits(1, 2, 2);
    herd.waits(2, 3, 1);
    herd.session(2).links[0].settled = false;
    DeadlockFinder finder;
    finder.observe(herd.seen(), 0);
    EXPECT_TRUE(finder.observe(herd.seen(), kUnsettledMs - 1).empty());
    EXPECT_EQ(victims(finder.observe(herd.seen(), kUnsettledMs)), Pids{2});
}

TEST(Deadlock, ThreeServersThreeParties) {
    Herd herd(2);
    herd.waits(1, 3, 2);
    herd.waits(2, 1, 3);
    herd.waits(3, 2, 1);
    EXPECT_EQ(looked_twice(herd.seen()), Pids{3});
}

// Session 3 stands behind 1 and before 2 on node 2: the way through it stays on that node.
TEST(Deadlock, WhoStandsBetweenOthersOnOneNodeIsInIt) {
    Herd herd(2);
    herd.waits(1, 3, 2);
    herd.waits(2, 2, 3);
    herd.waits(3, 2, 1);
    EXPECT_EQ(looked_twice(herd.seen()), Pids{3});
    // But not when it does other things meanwhile.
    herd.session(3).wait = 0;
    EXPECT_EQ(looked_twice(herd.seen()), Pids{2});
}

TEST(Deadlock, ACircleWithinOneServerIsThatServersBusiness) {
    Herd herd(1);
    herd.waits(1, 2, 2);
    herd.waits(2, 2, 1);
    EXPECT_EQ(looked_twice(herd.seen()), Pids{});
    // On the coordinator, too, and with a parallel worker in it.
    Herd alone(1);
    alone.waits(1, 1, 2);
    alone.waits(2, 1, 1);
    EXPECT_EQ(looked_twice(alone.seen()), Pids{});
}

TEST(Deadlock, OneServersOwnCircleHidesNoOther) {
    Herd herd(2);
    herd.waits(1, 2, 2);
    herd.waits(2, 2, 1);
    herd.waits(3, 2, 4);
    herd.waits(4, 3, 3);
    EXPECT_EQ(looked_twice(herd.seen()), Pids{4});
}

TEST(Deadlock, EachCircleHasItsVictim) {
    Herd herd(2);
    for (int pair = 1; pair < 9; pair += 2) {
        herd.waits(pair, 2, pair + 1);
        herd.waits(pair + 1, 3, pair);
    }
    Pids found = looked_twice(herd.seen());
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, (Pids{2, 4, 6, 8}));
}

TEST(Deadlock, SessionsBeyondTheHerdAreInItButNotVictims) {
    // Process 999 of node 2 is a client's own: it waits for session 1, and session 2 waits for it.
    Herd herd(2);
    herd.waits(1, 3, 2);
    Session& second = herd.session(2);
    second.wait = 7;
    second.waits_for = 0;
    ServerProcess& there = herd.process(2, 202);
    there.idle = false;
    there.waits_since = 1000;
    there.mode = "ExclusiveLock";
    there.lock = "tuple (0,1) of relation t";
    there.blockers = {999};
    ServerProcess& client = herd.process(2, 999);
    client.idle = false;
    client.waits_since = 900;
    client.mode = "ShareLock";
    client.lock = "transaction 1";
    client.blockers = {201};
    client.statement = "a client's";
    herd.process(2, 201);
    DeadlockFinder finder;
    finder.observe(herd.seen(), 0);
    std::vector<Deadlock> found = finder.observe(herd.seen(), 250);
    ASSERT_EQ(victims(found), Pids{2});
    EXPECT_EQ(
        describe(found[0], [](const Party&) { return true; }),
        "Process 202 on \"n2\" (transaction 1:2/1) waits for ExclusiveLock on tuple (0,1) of "
        "relation t; blocked by process 999 on \"n2\".\n"
        "Process 999 on \"n2\" waits for ShareLock on transaction 1; blocked by process 201 on "
        "\"n2\" (transaction 1:1/1).\n"
        "Process 301 on \"n3\" (transaction 1:1/1) waits for ShareLock on transaction 2; "
        "blocked by process 302 on \"n3\" (transaction 1:2/1).\n"
        "Transaction 1:2/1 (process 2 on \"coordinator\"): statement 2\n"
        "Process 999 on \"n2\": a client's\n"
        "Transaction 1:1/1 (process 1 on \"coordinator\"): statement 1");
}

TEST(Deadlock, StatementsThatTheVictimMayNotSeeAreLeftOut) {
    Herd herd(2);
    herd.waits(1, 2, 2);
    herd.waits(2, 3, 1);
    herd.session(1).user = 11;
    DeadlockFinder finder;
    finder.observe(herd.seen(), 0);
    Deadlock found = finder.observe(herd.seen(), 250).at(0);
    std::string text = describe(found, [](const Party& party) { return party.user == 10; });
    EXPECT_NE(text.find("statement 2"), std::string::npos);
    EXPECT_EQ(text.find("statement 1"), std::string::npos);
}

TEST(Deadlock, APreparedTransactionIsInItThroughItsSession) {
    // Session 1 has prepared on node 2 and waits for node 3 to prepare; session 2 waits for it.
    Herd herd(2);
    herd.waits(1, 3, 2);
    herd.session(1).xid = 700;
    herd.waits(2, 2, 1);
    ServerProcess& there = herd.process(2, 202);
    there.blockers = {0};
    std::string gid = PreparedId{"c", 1, NodeId{2}, 700, 55}.text();
    there.prepared = {{gid, "ExclusiveLock"}};
    there.mode = "ShareLock";
    DeadlockFinder finder;
    finder.observe(herd.seen(), 0);
    std::vector<Deadlock> found = finder.observe(herd.seen(), 250);
    ASSERT_EQ(victims(found), Pids{2});
    EXPECT_NE(found[0].waits.find("blocked by prepared transaction \"" + gid +
                                  "\" on \"n2\" (transaction 1:1/1)."),
              std::string::npos);
}

TEST(Deadlock, ANodeWithoutAReportHasItsNumber) {
    Herd herd(2);
    herd.waits(1, 2, 2);
    herd.waits(2, 3, 1);
    herd.seen().servers.front().node = NodeId{9};
    DeadlockFinder finder;
    finder.observe(herd.seen(), 0);
    Deadlock found = finder.observe(herd.seen(), 250).at(0);
    EXPECT_NE(describe(found, [](const Party&) { return true; }).find("process 2 on node 1"),
              std::string::npos);
}

// Whether somebody stands still for ever, by going on with everybody who can: in each round,
// whoever waits for nobody any more goes away.
bool somebody_is_stuck(const std::vector<WaitEdge>& edges, const std::set<Vertex>& gone) {
    std::set<Vertex> waiting;
    for (const WaitEdge& edge : edges) {
        if (gone.count(edge.from) == 0) {
            waiting.insert(edge.from);
        }
    }
    for (bool changed = true; changed;) {
        std::set<Vertex> still;
        for (const WaitEdge& edge : edges) {
            if (waiting.count(edge.from) != 0 && waiting.count(edge.to) != 0) {
                still.insert(edge.from);
            }
        }
        changed = still.size() != waiting.size();
        waiting = std::move(still);
    }
    return !waiting.empty();
}

// Random herds in which each session waits for at most one lock of another one: each victim is
// needed, and when all have gone nobody is stuck.
TEST(DeadlockProperty, VictimsAreNeededAndEnough) {
    std::mt19937 random(7);
    int with_victims = 0;
    for (int round = 0; round < 2000; ++round) {
        int nodes = 2 + static_cast<int>(random() % 3);
        int sessions = 2 + static_cast<int>(random() % 8);
        Herd herd(nodes);
        for (int waiter = 1; waiter <= sessions; ++waiter) {
            int holder = 1 + static_cast<int>(random() % static_cast<unsigned>(sessions));
            // Holders that wait for something themselves do so elsewhere: no server sees a circle
            // by itself.
            if (holder % nodes != waiter % nodes && random() % 4 != 0) {
                herd.waits(waiter, 2 + waiter % nodes, holder);
            }
        }
        DeadlockFinder finder;
        ASSERT_TRUE(finder.observe(herd.seen(), 0).empty());
        std::vector<Deadlock> found = finder.observe(herd.seen(), 250);
        std::vector<WaitEdge> edges = wait_edges(herd.seen());
        std::set<Vertex> gone;
        for (const Deadlock& deadlock : found) {
            EXPECT_TRUE(somebody_is_stuck(edges, gone)) << "round " << round;
            gone.insert({kHere, deadlock.victim.pid, {}});
        }
        EXPECT_FALSE(somebody_is_stuck(edges, gone)) << "round " << round;
        with_victims += found.empty() ? 0 : 1;
    }
    EXPECT_GT(with_victims, 200);
}

// A herd that goes on between two looks, as fast as it likes, has no victims: sessions take and
// give back locks one after another, and at each look every stamp is what it is then.
TEST(DeadlockProperty, AHerdThatGoesOnHasNoVictims) {
    std::mt19937 random(11);
    DeadlockFinder finder;
    std::int64_t stamp = 1000;
    int suspicions = 0;
    for (int look = 0; look < 3000; ++look) {
        Herd herd(3);
        int still = static_cast<int>(random() % 4);  // three at least of the four go on
        for (int waiter = 0; waiter < 4; ++waiter) {
            int node = 2 + waiter % 3;
            herd.waits(waiter + 1, node, 1 + (waiter + 1) % 4);
            if (waiter != still) {
                herd.process(node, Herd::at(node, waiter + 1)).waits_since = ++stamp;
                herd.session(waiter + 1).wait = static_cast<std::uint64_t>(++stamp);
            }
        }
        EXPECT_TRUE(finder.observe(herd.seen(), look * 250).empty());
        suspicions += finder.suspects() ? 1 : 0;
    }
    EXPECT_EQ(suspicions, 3000);
}

}  // namespace
}  // namespace herd
