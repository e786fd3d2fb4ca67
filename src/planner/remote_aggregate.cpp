#include "planner/remote_aggregate.hpp"

#include <algorithm>
#include <cstring>

#include "pg/plan_settings.hpp"
#include "pg/wire_types.hpp"
#include "planner/distinct_rows.hpp"
#include "planner/halves.hpp"
#include "planner/remote_groups.hpp"
#include "planner/whole_groups.hpp"

extern "C" {
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planner.h"
#include "optimizer/prep.h"
#include "optimizer/tlist.h"
}

namespace herd::planner {

namespace {

::create_upper_paths_hook_type previous_hook = nullptr;

// The same outputs with aggregates that deliver their states.
::PathTarget* partial_target(::PlannerInfo* root, const ::PathTarget* plain) {
    ::PathTarget* partial = ::copy_pathtarget(const_cast<::PathTarget*>(plain));
    for (int i = 0; i < ::list_length(partial->exprs); ++i) {
        auto* part = static_cast<::Expr*>(::list_nth(partial->exprs, i));
        if (IsA(part, Aggref)) {
            auto* copy = makeNode(Aggref);
            std::memcpy(copy, part, sizeof(::Aggref));
            ::mark_partial_aggref(copy, AGGSPLIT_INITIAL_SERIAL);
            lfirst(list_nth_cell(partial->exprs, i)) = copy;
        }
    }
    return ::set_pathtarget_cost_width(root, partial);
}

bool states_can_travel(const ::List* expressions) {
    for (int i = 0; i < ::list_length(expressions); ++i) {
        Oid type = ::exprType(static_cast<::Node*>(::list_nth(expressions, i)));
        if (!pg::binary_is_portable(type)) {
            return false;
        }
    }
    return true;
}

// The partial aggregation of this server's own rows, over one of the ways to read them.
struct PartHere {
    const Halves* halves;
    const ::RelOptInfo* input;
    ::RelOptInfo* rel;
    ::PathTarget* partial;
    ::AggStrategy strategy;
    const ::AggClauseCosts* costs;
    double groups;
};

::Path* aggregated(::PlannerInfo* root, const PartHere& part, ::Path* rows) {
    return reinterpret_cast<::Path*>(::create_agg_path(
        root, part.rel, projected_half(root, *part.halves, part.input->reltarget, rows),
        part.partial, part.strategy, AGGSPLIT_INITIAL_SERIAL, root->parse->groupClause, NIL,
        part.costs, ::clamp_row_est(std::min(part.groups, rows->rows))));
}

// Each worker aggregates what it reads; nullptr where none may.
::Path* aggregated_by_workers(::PlannerInfo* root, const PartHere& part) {
    ::List* ways = part.halves->here->partial_pathlist;
    if (ways == NIL ||
        !::is_parallel_safe(root, reinterpret_cast<::Node*>(part.input->reltarget->exprs)) ||
        !::is_parallel_safe(root, reinterpret_cast<::Node*>(part.partial->exprs))) {
        return nullptr;
    }
    part.rel->consider_parallel = true;
    ::Path* path = aggregated(root, part, static_cast<::Path*>(linitial(ways)));
    if (!path->parallel_safe) {
        return nullptr;
    }
    double rows = path->rows * path->parallel_workers;
    return reinterpret_cast<::Path*>(
        ::create_gather_path(root, part.rel, path, part.partial, nullptr, &rows));
}

::Path* part_here(::PlannerInfo* root, const PartHere& part) {
    ::Path* alone = aggregated(root, part, part.halves->here->cheapest_total_path);
    ::Path* shared = aggregated_by_workers(root, part);
    return shared != nullptr && shared->total_cost < alone->total_cost ? shared : alone;
}

void add_partial_paths(::PlannerInfo* root, ::RelOptInfo* input, ::RelOptInfo* output,
                       ::Node* having) {
    const ::Query* parse = root->parse;
    Halves halves{};
    // What returns sets is expanded between aggregation and its input or output.
    if (parse->groupingSets != NIL || parse->hasTargetSRFs ||
        (parse->groupClause == NIL && !parse->hasAggs) || root->hasNonPartialAggs ||
        root->hasNonSerialAggs ||
        (parse->groupClause != NIL && !::grouping_is_hashable(parse->groupClause)) ||
        !find_halves(root, input, &halves)) {
        return;
    }
    ::PathTarget* plain = group_target(root, having);
    ::PathTarget* partial = plain == nullptr ? nullptr : partial_target(root, plain);
    if (partial == nullptr || !states_can_travel(partial->exprs)) {
        return;
    }
    RemoteGroups* remote = new_groups(*halves.fragment, halves.remote);
    if (!set_outputs(remote, translate(root, plain->exprs, halves.remote_info), plain,
                     root->parse->groupClause) ||
        !can_send_all(halves, remote->outputs)) {
        return;
    }
    double groups = estimate_groups(root, input);
    ::AggStrategy strategy = parse->groupClause == NIL ? AGG_PLAIN : AGG_HASHED;
    ::AggClauseCosts partial_costs{};
    ::AggClauseCosts final_costs{};
    ::get_agg_clause_costs(root, AGGSPLIT_INITIAL_SERIAL, &partial_costs);
    ::get_agg_clause_costs(root, AGGSPLIT_FINAL_DESERIAL, &final_costs);
    ::RelOptInfo* partial_rel = ::fetch_upper_rel(root, UPPERREL_PARTIAL_GROUP_AGG, output->relids);
    partial_rel->reltarget = partial;
    ::PathTarget* remote_target = translate_target(root, partial, halves.remote_info);
    remote->partial = true;
    remote->columns = remote_target->exprs;
    ::Path* parts = remote_groups_path(partial_rel, remote, remote_target, groups);
    if (halves.here != nullptr) {
        PartHere part = {&halves,     input,
                         partial_rel, translate_target(root, partial, halves.here_info),
                         strategy,    &partial_costs,
                         groups};
        parts = both_halves(root, partial_rel, part_here(root, part), parts, partial);
    }
    ::add_path(output, reinterpret_cast<::Path*>(::create_agg_path(
                           root, output, parts, root->upper_targets[UPPERREL_GROUP_AGG], strategy,
                           AGGSPLIT_FINAL_DESERIAL, parse->groupClause,
                           reinterpret_cast<::List*>(having), &final_costs, groups)));
}

void upper_paths(::PlannerInfo* root, ::UpperRelationKind stage, ::RelOptInfo* input,
                 ::RelOptInfo* output, void* extra) {
    if (previous_hook != nullptr) {
        previous_hook(root, stage, input, output, extra);
    }
    if (fragment_count() == 0 || !pg::partial_aggregates_enabled()) {
        return;
    }
    if (stage == UPPERREL_GROUP_AGG) {
        ::Node* having = static_cast<const ::GroupPathExtraData*>(extra)->havingQual;
        add_partial_paths(root, input, output, having);
        add_whole_groups(root, input, output, having);
        add_distinct_inputs(root, input, output, having);
    } else if (stage == UPPERREL_DISTINCT) {
        add_distinct_rows(root, input, output);
    }
}

}  // namespace

void initialize_remote_aggregates() {
    previous_hook = ::create_upper_paths_hook;
    ::create_upper_paths_hook = upper_paths;
}

}  // namespace herd::planner
