#include "executor/strict_read.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "catalog/herd_catalog.hpp"
#include "executor/remote_plan.hpp"
#include "executor/remote_run.hpp"
#include "pg/local_only.hpp"
#include "pg/plan_settings.hpp"
#include "transaction/internal.hpp"
#include "transaction/strict.hpp"

extern "C" {
#include "access/xact.h"
#include "executor/executor.h"
#include "nodes/extensible.h"
#include "utils/snapmgr.h"
}

namespace herd::executor {

namespace {

// What a plan reads of other servers.
struct Reach {
    const catalog::Catalog* herd;
    std::vector<NodeId> nodes;
    bool several;
};

void reach_nodes(Reach& reach, const std::vector<NodeId>& nodes) {
    for (NodeId node : nodes) {
        if (node != reach.herd->self &&
            std::find(reach.nodes.begin(), reach.nodes.end(), node) == reach.nodes.end()) {
            reach.nodes.push_back(node);
        }
    }
}

void reach_plan(Reach& reach, const RemotePlan& plan, bool whole) {
    auto group = reach.herd->groups.find(plan.group_id);
    if (group == reach.herd->groups.end()) {
        reach_nodes(reach, reach.herd->other_nodes());
    } else {
        for (const OwnedShards& owner : group->second.owners) {
            reach_nodes(reach, {owner.node});
        }
    }
    // A statement that goes whole to one place sees what that place sees.
    reach.several = reach.several || !(whole && plan.routed);
}

void visit(Reach& reach, const ::Plan* plan);

void visit_all(Reach& reach, const ::List* plans) {
    for (int i = 0; i < ::list_length(plans); ++i) {
        visit(reach, static_cast<const ::Plan*>(::list_nth(plans, i)));
    }
}

void visit_scan(Reach& reach, const ::CustomScan* scan) {
    const char* name = scan->methods->CustomName;
    if (std::strcmp(name, "HerdRemote") == 0) {
        reach_plan(reach, from_list(scan->custom_private), false);
    } else if (std::strcmp(name, "HerdStatement") == 0) {
        reach_plan(reach, from_list(scan->custom_private), true);
        return;  // what is below runs in its place
    } else if (std::strcmp(name, "HerdWith") == 0) {
        reach_nodes(reach, reach.herd->other_nodes());
        reach.several = true;
    }
    visit_all(reach, scan->custom_plans);
}

void visit(Reach& reach, const ::Plan* plan) {
    if (plan == nullptr) {
        return;
    }
    visit(reach, plan->lefttree);
    visit(reach, plan->righttree);
    switch (nodeTag(plan)) {
        case T_Append:
            visit_all(reach, reinterpret_cast<const ::Append*>(plan)->appendplans);
            break;
        case T_MergeAppend:
            visit_all(reach, reinterpret_cast<const ::MergeAppend*>(plan)->mergeplans);
            break;
        case T_SubqueryScan:
            visit(reach, reinterpret_cast<const ::SubqueryScan*>(plan)->subplan);
            break;
        case T_CustomScan:
            visit_scan(reach, reinterpret_cast<const ::CustomScan*>(plan));
            break;
        default:
            break;
    }
}

void replace_snapshot(::QueryDesc* query) {
    ::Snapshot latest = ::RegisterSnapshot(::GetLatestSnapshot());
    ::UnregisterSnapshot(query->snapshot);
    query->snapshot = latest;
}

void refuse_late() {
    throw Error(sqlstate::kActiveTransaction,
                "the transaction's snapshot is no whole view of the nodes")
        .detail(
            "herd.read_consistency is strict, and the transaction has one snapshot, which was "
            "taken before.")
        .hint("Set herd.read_consistency before BEGIN, and the isolation level in it.");
}

bool needs_snapshots(const ::QueryDesc* query, int flags) {
    return pg::reads_are_strict() && (flags & EXEC_FLAG_EXPLAIN_ONLY) == 0 &&
           query->snapshot != InvalidSnapshot && !pg::local_only() &&
           !transaction::is_internal_session() && !transaction::is_strict_transaction();
}

}  // namespace

bool take_strict_snapshots(::QueryDesc* query, int flags) {
    if (!needs_snapshots(query, flags)) {
        return false;
    }
    return pg::enter("strict read", [&] {
        const catalog::Catalog* herd = catalog::current();
        if (herd == nullptr || !herd->is_coordinator()) {
            return false;
        }
        Reach reach{herd, {}, false};
        visit(reach, query->plannedstmt->planTree);
        visit_all(reach, query->plannedstmt->subplans);
        if (!reach.several || reach.nodes.empty()) {
            return false;
        }
        if (XactIsoLevel == XACT_SERIALIZABLE ||
            (XactIsoLevel == XACT_REPEATABLE_READ && ::IsTransactionBlock())) {
            refuse_late();
        }
        try {
            transaction::take_snapshots(reach.nodes, reserve_statement_number(),
                                        [&] { pg::call([&] { replace_snapshot(query); }); });
        } catch (...) {
            take_reserved_number(nullptr);
            throw;
        }
        return true;
    });
}

}  // namespace herd::executor
