#include "transaction/strict.hpp"

#include "pg/counters.hpp"
#include "pg/failpoint.hpp"
#include "pg/local_only.hpp"
#include "pg/plan_settings.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/gate.hpp"
#include "transaction/internal.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "access/xact.h"
#include "utils/snapmgr.h"
}

namespace herd::transaction {

namespace {

// How long a node may take for its snapshot: writers over several nodes wait as long.
constexpr std::int64_t kSnapshotMs = 1000;

bool strict_transaction = false;

void on_transaction(::XactEvent event, void*) {
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) {
        strict_transaction = false;
    }
}

const catalog::Catalog* herd_of_strict_session() {
    if (!pg::reads_are_strict() || pg::local_only() || is_internal_session()) {
        return nullptr;
    }
    const catalog::Catalog* herd = catalog::current();
    return herd != nullptr && herd->is_coordinator() && herd->nodes.size() > 1 ? herd : nullptr;
}

}  // namespace

void take_snapshots(const std::vector<NodeId>& nodes, std::uint64_t number,
                    const std::function<void()>& take_own) {
    // Nobody is kept out while connections are made, or others' rows are read from them.
    open_links(nodes);
    for (NodeId node : nodes) {
        link_to(node).get_ready();
    }
    ClosedGate closed(nodes);
    HERD_FAILPOINT("strict.closed");
    Statement statement;
    statement.text = "SELECT 1";
    statement.fragment = number;
    for (NodeId node : nodes) {
        link_to(node).send(statement, nullptr);
    }
    take_own();
    std::int64_t deadline = pg::now_ms() + kSnapshotMs;
    for (NodeId node : nodes) {
        Link& link = link_to(node);
        while (link.receive(deadline)) {
        }
    }
    pg::count(pg::Counter::kStrictSnapshots);
}

void open_strict_transaction() {
    if (strict_transaction || XactIsoLevel < XACT_REPEATABLE_READ || !::IsTransactionBlock() ||
        ::IsAbortedTransactionBlockState() || FirstSnapshotSet) {
        return;
    }
    const catalog::Catalog* herd = herd_of_strict_session();
    if (herd == nullptr) {
        return;
    }
    if (FirstSnapshotSet) {
        throw Error(sqlstate::kSerializationFailure,
                    "the herd's catalogue has changed while the transaction began")
            .hint("Try again.");
    }
    take_snapshots(herd->other_nodes(), 0,
                   [] { pg::call([] { (void)::GetTransactionSnapshot(); }); });
    strict_transaction = true;
}

bool is_strict_transaction() {
    return strict_transaction;
}

void initialize_strict() {
    ::RegisterXactCallback(on_transaction, nullptr);
}

}  // namespace herd::transaction
