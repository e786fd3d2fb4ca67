#include "planner/broadcast_path.hpp"

#include <algorithm>

#include "executor/broadcast_scan.hpp"
#include "planner/broadcast.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
}

namespace herd::planner {

namespace {

// A query's inner queries that run once, before it, tell each its value by a parameter.
bool is_computed_before(const ::PlannerInfo* root, const ::Node* argument) {
    auto* param = reinterpret_cast<const ::Param*>(argument);
    if (!IsA(argument, Param) || param->paramkind != PARAM_EXEC) {
        return false;
    }
    for (int i = 0; i < ::list_length(root->init_plans); ++i) {
        auto* plan = static_cast<::SubPlan*>(::list_nth(root->init_plans, i));
        if (::list_member_int(plan->setParam, param->paramid)) {
            return true;
        }
    }
    return false;
}

// The broadcast's columns among the arguments of a fragment's function; NIL: not there, or not yet
// parameters.
::List* arrays_among(const ::PlannerInfo* root, const ::RangeTblEntry* function,
                     const Fragment& fragment, const Broadcast& broadcast) {
    int argument = 1;  // after the fragment's number
    for (int i = 0; i < ::list_length(fragment.broadcasts); ++i) {
        auto* sent = static_cast<SentBroadcast*>(::list_nth(fragment.broadcasts, i));
        int columns = ::list_length(sent->broadcast->query->targetList);
        if (sent->broadcast != &broadcast) {
            argument += columns;
            continue;
        }
        ::List* all = reinterpret_cast<::FuncExpr*>(
                          static_cast<::RangeTblFunction*>(linitial(function->functions))->funcexpr)
                          ->args;
        ::List* arrays = NIL;
        for (int column = 0; column < columns; ++column) {
            auto* array = static_cast<::Node*>(::list_nth(all, argument + column));
            if (!is_computed_before(root, array)) {
                return NIL;
            }
            arrays = ::lappend(arrays, array);
        }
        return arrays;
    }
    return NIL;
}

// What the nodes get, by a fragment of the query or of one around it.
::List* find_arrays(const ::PlannerInfo* root, const Broadcast& broadcast) {
    for (; root != nullptr; root = root->parent_root) {
        for (int i = 0; i < ::list_length(root->parse->rtable); ++i) {
            auto* rte = static_cast<::RangeTblEntry*>(::list_nth(root->parse->rtable, i));
            const Fragment* fragment = fragment_of(rte);
            ::List* arrays =
                fragment == nullptr ? NIL : arrays_among(root, rte, *fragment, broadcast);
            if (arrays != NIL) {
                return arrays;
            }
        }
    }
    return NIL;
}

struct BroadcastRows {
    const Broadcast* broadcast;
    ::List* arrays;
};

::Plan* make_plan(::PlannerInfo*, ::RelOptInfo* rel, ::CustomPath* path, ::List* tlist,
                  ::List* clauses, ::List*) {
    auto* rows = static_cast<BroadcastRows*>(linitial(path->custom_private));
    auto* scan = makeNode(CustomScan);
    scan->scan.plan.targetlist = tlist;
    scan->scan.plan.qual = ::extract_actual_clauses(clauses, false);
    ::List* columns = rows->broadcast->query->targetList;
    for (int i = 0; i < ::list_length(columns); ++i) {
        auto* node =
            reinterpret_cast<::Node*>(static_cast<::TargetEntry*>(::list_nth(columns, i))->expr);
        auto number = static_cast<::AttrNumber>(i + 1);
        ::Var* var = ::makeVar(static_cast<int>(rel->relid), number, ::exprType(node),
                               ::exprTypmod(node), ::exprCollation(node), 0);
        scan->custom_scan_tlist =
            ::lappend(scan->custom_scan_tlist,
                      ::makeTargetEntry(reinterpret_cast<::Expr*>(var), number, nullptr, false));
    }
    scan->custom_exprs = rows->arrays;
    scan->custom_private = ::list_make1(::makeString(::pstrdup(rows->broadcast->name)));
    scan->custom_relids = rel->relids;
    scan->flags = path->flags;
    scan->methods = executor::broadcast_scan_methods();
    return &scan->scan.plan;
}

constexpr ::CustomPathMethods kPathMethods = {"HerdBroadcast", make_plan, nullptr};

::CustomPath* make_path(::PlannerInfo* root, ::RelOptInfo* rel, BroadcastRows* rows) {
    auto* scan = static_cast<::Path*>(linitial(rel->pathlist));
    auto* path = makeNode(CustomPath);
    path->path.pathtype = T_CustomScan;
    path->path.parent = rel;
    path->path.pathtarget = rel->reltarget;
    path->path.param_info = ::get_baserel_parampathinfo(root, rel, rel->lateral_relids);
    path->path.parallel_safe = true;
    path->path.rows = scan->rows;
    path->path.startup_cost = scan->startup_cost;
    path->path.total_cost = scan->total_cost;
    path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
    path->custom_private = ::list_make1(rows);
    path->methods = &kPathMethods;
    return path;
}

// As many as PostgreSQL takes for a table, if fewer rows than a table's are worth another one.
int workers_for(double rows) {
    constexpr double kFirstWorker = 5'000;
    int workers = 0;
    for (double least = kFirstWorker; rows >= least; least *= 3) {
        ++workers;
    }
    return std::min(workers, max_parallel_workers_per_gather);
}

// Each process reads other rows.
void add_shared_path(::PlannerInfo* root, ::RelOptInfo* rel, BroadcastRows* rows) {
    int workers = workers_for(rel->rows);
    if (workers == 0) {
        return;
    }
    ::CustomPath* path = make_path(root, rel, rows);
    double processes = workers + (parallel_leader_participation ? 0.5 : 0);
    path->path.parallel_aware = true;
    path->path.parallel_workers = workers;
    path->path.rows = ::clamp_row_est(path->path.rows / processes);
    path->path.total_cost =
        path->path.startup_cost + (path->path.total_cost - path->path.startup_cost) / processes;
    ::add_partial_path(rel, &path->path);
}

}  // namespace

void add_broadcast_paths(::PlannerInfo* root, ::RelOptInfo* rel, const ::RangeTblEntry* rte) {
    const Broadcast* broadcast = broadcast_of(rte);
    if (broadcast == nullptr || !root->glob->parallelModeOK || rel->lateral_relids != nullptr ||
        !::is_parallel_safe(root, reinterpret_cast<::Node*>(rel->baserestrictinfo)) ||
        !::is_parallel_safe(root, reinterpret_cast<::Node*>(rel->reltarget->exprs))) {
        return;
    }
    ::List* arrays = find_arrays(root, *broadcast);
    if (arrays == NIL) {
        return;
    }
    auto* rows = static_cast<BroadcastRows*>(::palloc(sizeof(BroadcastRows)));
    *rows = {broadcast, arrays};
    rel->consider_parallel = true;
    ::add_path(rel, &make_path(root, rel, rows)->path);
    add_shared_path(root, rel, rows);
}

}  // namespace herd::planner
