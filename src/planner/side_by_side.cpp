#include "planner/side_by_side.hpp"

#include "executor/remote_scan.hpp"

extern "C" {
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "optimizer/tlist.h"
}

namespace herd::planner {

namespace {

// Rows are locked here first, then on the nodes.
bool is_reading_scan(const ::Plan* plan) {
    auto* scan = reinterpret_cast<const ::CustomScan*>(plan);
    return IsA(plan, CustomScan) && scan->methods == executor::remote_scan_methods() &&
           scan->custom_plans == NIL && !executor::from_list(scan->custom_private).writes;
}

// The position of the only remote scan that stands beside other plans, or -1.
int remote_position(const ::Append* append) {
    int position = -1;
    int count = ::list_length(append->appendplans);
    if (count < 2 || append->part_prune_info != nullptr || append->nasyncplans > 0 ||
        append->first_partial_plan < count || append->plan.parallel_aware) {
        return -1;
    }
    for (int i = 0; i < count; ++i) {
        if (is_reading_scan(static_cast<::Plan*>(::list_nth(append->appendplans, i)))) {
            if (position >= 0) {
                return -1;
            }
            position = i;
        }
    }
    return position;
}

::Plan* beside(::Append* append, int position) {
    auto* scan = static_cast<::CustomScan*>(::list_nth(append->appendplans, position));
    ::Plan& plan = scan->scan.plan;
    ::apply_tlist_labeling(plan.targetlist, append->plan.targetlist);
    ::List* others = ::list_delete_nth_cell(append->appendplans, position);
    plan.startup_cost = append->plan.startup_cost;
    plan.total_cost = append->plan.total_cost;
    plan.plan_rows = append->plan.plan_rows;
    plan.plan_width = append->plan.plan_width;
    plan.initPlan = ::list_concat(append->plan.initPlan, plan.initPlan);
    plan.extParam = ::bms_union(append->plan.extParam, plan.extParam);
    plan.allParam = ::bms_union(append->plan.allParam, plan.allParam);
    if (::list_length(others) == 1) {
        scan->custom_plans = others;
    } else {
        append->appendplans = others;
        append->first_partial_plan = ::list_length(others);
        append->plan.initPlan = NIL;
        scan->custom_plans = ::list_make1(append);
    }
    return &plan;
}

::Plan* rearrange(::Plan* plan);

void rearrange_all(::List* plans) {
    for (int i = 0; i < ::list_length(plans); ++i) {
        ::ListCell* cell = list_nth_cell(plans, i);
        lfirst(cell) = rearrange(static_cast<::Plan*>(lfirst(cell)));
    }
}

::Plan* rearrange(::Plan* plan) {
    if (plan == nullptr) {
        return nullptr;
    }
    plan->lefttree = rearrange(plan->lefttree);
    plan->righttree = rearrange(plan->righttree);
    switch (nodeTag(plan)) {
        case T_Append: {
            auto* append = reinterpret_cast<::Append*>(plan);
            rearrange_all(append->appendplans);
            int position = remote_position(append);
            return position < 0 ? plan : beside(append, position);
        }
        case T_MergeAppend:
            rearrange_all(reinterpret_cast<::MergeAppend*>(plan)->mergeplans);
            return plan;
        case T_SubqueryScan: {
            auto* scan = reinterpret_cast<::SubqueryScan*>(plan);
            scan->subplan = rearrange(scan->subplan);
            return plan;
        }
        case T_CustomScan:
            rearrange_all(reinterpret_cast<::CustomScan*>(plan)->custom_plans);
            return plan;
        default:
            return plan;
    }
}

}  // namespace

void run_side_by_side(::PlannedStmt* statement) {
    statement->planTree = rearrange(statement->planTree);
    rearrange_all(statement->subplans);
}

}  // namespace herd::planner
