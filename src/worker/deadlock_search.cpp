#include "worker/deadlock_search.hpp"

#include <algorithm>

#include "pg/counters.hpp"
#include "pg/server_run.hpp"
#include "pg/transaction.hpp"
#include "remote/session_board.hpp"
#include "worker/registry.hpp"
#include "worker/wait_report.hpp"

extern "C" {
#include "catalog/pg_authid.h"
#include "storage/proc.h"
#include "utils/acl.h"
}

namespace herd::worker {

namespace {

// Looking takes no more than a tenth of anybody's time; but a look that took long has waited for a
// node, so that no rest is longer than deadlock_timeout.
constexpr std::int64_t kRestPerLook = 9;
constexpr std::int64_t kLeastPauseMs = 50;
// Of deadlock_timeout: between two looks at what may be a deadlock.
constexpr std::int64_t kPartsOfTimeout = 4;

Session session_of(const remote::BoardEntry& entry) {
    Session session;
    session.pid = entry.pid;
    session.id = entry.id;
    session.started = entry.started;
    session.xid = entry.xid;
    session.user = entry.user;
    session.wait = entry.wait;
    session.waits_for = entry.waits_for;
    for (const remote::BoardLink& link : entry.links) {
        session.links.push_back({link.node, link.pid, link.in_transaction, link.settled});
    }
    return session;
}

bool has_unsettled_link(const remote::BoardEntry& entry) {
    return std::any_of(entry.links.begin(), entry.links.end(),
                       [](const auto& link) { return link.in_transaction && !link.settled; });
}

// What the members of a deadlock ran, as pg_stat_activity lets this server's own roles see it.
bool may_see(std::uint32_t viewer, const Party& party) {
    return pg::call([&] {
        return ::has_privs_of_role(viewer, ROLE_PG_READ_ALL_STATS) ||
               (party.user != InvalidOid && ::has_privs_of_role(viewer, party.user));
    });
}

}  // namespace

void DeadlockSearch::set_herd(const catalog::Catalog& herd) {
    observation_.coordinator = herd.self;
    observation_.cluster_id = herd.cluster_id;
    observation_.run = static_cast<std::uint64_t>(pg::server_run());
    const catalog::NodeEntry* self = herd.node(herd.self);
    coordinator_name_ = self == nullptr ? "coordinator" : self->name;
}

void DeadlockSearch::step(const Watches& watches, std::int64_t now) {
    requested_ = take_look_request() || requested_;
    if (requested_ && !looking_) {
        // It may be the last edge of a circle.
        next_look_ = std::min(next_look_, std::max(now, earliest_));
    }
    if (!looking_ && now >= next_look_ && remote::board_has_long_waits()) {
        begin(watches, now);
    }
    if (looking_) {
        ask(watches, now);
        collect(watches);
        if (to_ask_.empty() && asked_.empty()) {
            looking_ = false;
            conclude(now);
        }
    }
}

std::int64_t DeadlockSearch::next_time() const {
    constexpr std::int64_t kNever = INT64_MAX;
    return !looking_ && remote::board_has_long_waits() ? next_look_ : kNever;
}

// The sessions come first: what they say of their links holds while the servers answer.
void DeadlockSearch::begin(const Watches& watches, std::int64_t now) {
    looking_ = true;
    requested_ = false;
    began_at_ = now;
    observation_.sessions.clear();
    observation_.servers.clear();
    to_ask_.clear();
    asked_.clear();
    for (const remote::BoardEntry& entry : remote::board_entries()) {
        if (!entry.id.empty()) {
            observation_.sessions.push_back(session_of(entry));
        }
        if (entry.wait != 0 && has_unsettled_link(entry)) {
            remote::board_wake(entry);
        }
    }
    for (const auto& entry : watches) {
        to_ask_.insert(entry.first);
    }
    look_here();
}

void DeadlockSearch::look_here() {
    pg::Transaction transaction;
    observation_.servers.push_back({observation_.coordinator, coordinator_name_,
                                    read_wait_report(pg::query(wait_question()))});
    if (finder_.suspects()) {
        for (const pg::Row& row : pg::query("SELECT pid, left(query, 200) FROM pg_stat_activity")) {
            int pid = std::stoi(*row[0]);
            for (Session& session : observation_.sessions) {
                if (session.pid == pid) {
                    session.statement = row[1].value_or("");
                }
            }
        }
    }
    transaction.commit();
}

// A node that answers a probe just now is asked when it has; one without a connection never.
void DeadlockSearch::ask(const Watches& watches, std::int64_t now) {
    for (auto id = to_ask_.begin(); id != to_ask_.end();) {
        auto watch = watches.find(*id);
        bool gone = watch == watches.end() || !watch->second->is_connected();
        bool asks = !gone && watch->second->look(now);
        if (asks) {
            asked_.insert(*id);
        }
        id = gone || asks ? to_ask_.erase(id) : std::next(id);
    }
}

void DeadlockSearch::collect(const Watches& watches) {
    for (auto id = asked_.begin(); id != asked_.end();) {
        auto watch = watches.find(*id);
        if (watch == watches.end()) {
            id = asked_.erase(id);
            continue;
        }
        std::optional<pg::Rows> rows = watch->second->take_look();
        if (rows) {
            observation_.servers.push_back({*id, watch->second->name(), read_wait_report(*rows)});
        }
        id = rows || !watch->second->is_looking() ? asked_.erase(id) : std::next(id);
    }
}

void DeadlockSearch::conclude(std::int64_t now) {
    pg::count(pg::Counter::kDeadlockLooks);
    for (const Deadlock& deadlock : finder_.observe(observation_, now)) {
        end_wait(deadlock);
    }
    std::int64_t took = pg::now_ms() - began_at_;
    std::int64_t rest = std::min<std::int64_t>(kRestPerLook * took, ::DeadlockTimeout);
    earliest_ = now + std::max({kLeastPauseMs, ::DeadlockTimeout / kPartsOfTimeout, rest});
    next_look_ =
        finder_.suspects() ? earliest_ : std::max<std::int64_t>(earliest_, now + ::DeadlockTimeout);
}

void DeadlockSearch::end_wait(const Deadlock& deadlock) {
    const Session& victim = deadlock.victim;
    pg::Transaction transaction;
    std::string detail =
        describe(deadlock, [&](const Party& party) { return may_see(victim.user, party); });
    std::string all = describe(deadlock, [](const Party&) { return true; });
    transaction.commit();
    for (const remote::BoardEntry& entry : remote::board_entries()) {
        if (entry.pid == victim.pid && entry.id == victim.id && entry.wait == victim.wait &&
            remote::board_end_wait(entry, detail)) {
            pg::count(pg::Counter::kDeadlocks);
            pg::call([&] {
                ereport(LOG, (errmsg("herd: transaction %s of process %d is canceled to end a "
                                     "deadlock",
                                     victim.id.c_str(), victim.pid),
                              errdetail_internal("%s", all.c_str())));
            });
        }
    }
}

}  // namespace herd::worker
