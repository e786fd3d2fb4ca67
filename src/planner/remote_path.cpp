#include "planner/remote_path.hpp"

#include <cmath>

#include "executor/remote_scan.hpp"
#include "pg/wire_types.hpp"
#include "planner/broadcast.hpp"
#include "planner/broadcast_path.hpp"
#include "planner/deparse.hpp"
#include "planner/estimate.hpp"
#include "planner/fragment.hpp"
#include "planner/modify_path.hpp"
#include "planner/remote_aggregate.hpp"
#include "planner/remote_relation.hpp"
#include "planner/remote_statistics.hpp"
#include "planner/shippable.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
}

namespace herd::planner {

namespace {

::set_rel_pathlist_hook_type previous_pathlist_hook = nullptr;

// Costs of a round trip and of a row on the wire, in units of the planner's sequential page.
constexpr double kRoundTripCost = 100;
constexpr double kRowCost = 0.2;

::Plan* make_plan(::PlannerInfo* root, ::RelOptInfo* rel, ::CustomPath* path, ::List* tlist,
                  ::List* clauses, ::List*) {
    auto* relation = static_cast<RemoteRelation*>(linitial(path->custom_private));
    auto* scan = makeNode(CustomScan);
    ::List* local = NIL;
    for (int i = 0; i < ::list_length(clauses); ++i) {
        auto* restriction = static_cast<::RestrictInfo*>(::list_nth(clauses, i));
        if (!list_member_ptr(relation->sent, restriction)) {
            local = ::lappend(local, restriction);
        }
    }
    scan->scan.plan.targetlist = tlist;
    scan->scan.plan.qual = ::extract_actual_clauses(local, false);
    scan->custom_scan_tlist = scan_columns(*relation);
    scan->custom_relids = rel->relids;
    scan->flags = path->flags;
    scan->methods = executor::remote_scan_methods();
    finish_scan(root, *relation, scan);
    return &scan->scan.plan;
}

constexpr ::CustomPathMethods kPathMethods = {"HerdRemote", make_plan, nullptr};

void set_costs(::Path* path, double rows) {
    path->rows = ::clamp_row_est(rows);
    path->startup_cost = kRoundTripCost;
    path->total_cost = kRoundTripCost + kRowCost * path->rows;
}

// The nodes sort each its own rows, and the first one comes when the last is sorted.
void add_sort_cost(::Path* path, double rows) {
    double cost = 2 * cpu_operator_cost * rows * std::log2(rows + 2);
    path->startup_cost += cost;
    path->total_cost += cost;
}

// Of an Append with both, what this server reads beside a fragment, or the fragment beside that;
// nullptr: there is none.
::RelOptInfo* other_half(const ::PlannerInfo* root, const ::RelOptInfo* rel, bool fragment) {
    const ::AppendRelInfo* own =
        rel->reloptkind == RELOPT_OTHER_MEMBER_REL ? root->append_rel_array[rel->relid] : nullptr;
    for (int i = 0; own != nullptr && i < ::list_length(root->append_rel_list); ++i) {
        auto* other = static_cast<::AppendRelInfo*>(::list_nth(root->append_rel_list, i));
        bool is_fragment = fragment_of(root->simple_rte_array[other->child_relid]) != nullptr;
        if (other != own && other->parent_relid == own->parent_relid && is_fragment == fragment) {
            return root->simple_rel_array[other->child_relid];
        }
    }
    return nullptr;
}

// Rows in order are merged: the nodes are not asked before the first one is read here, which may be
// when all are, while else both work at once.
void add_waiting_cost(const ::PlannerInfo* root, const ::RelOptInfo* rel, ::Path* path) {
    const ::RelOptInfo* here = other_half(root, rel, false);
    if (here != nullptr && here->cheapest_total_path != nullptr) {
        path->startup_cost += here->cheapest_total_path->total_cost;
        path->total_cost += here->cheapest_total_path->total_cost;
    }
}

// What LATERAL hands to the relation is a parameter of its path.
::CustomPath* make_path(::PlannerInfo* root, ::RelOptInfo* rel, RemoteRelation* relation) {
    auto* path = makeNode(CustomPath);
    path->path.pathtype = T_CustomScan;
    path->path.parent = rel;
    path->path.pathtarget = rel->reltarget;
    path->path.param_info = ::get_baserel_parampathinfo(root, rel, rel->lateral_relids);
    path->path.parallel_safe = false;
    path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
    path->custom_private = ::list_make1(relation);
    path->methods = &kPathMethods;
    set_costs(&path->path, rel->rows);
    return path;
}

// The number of rows that LIMIT leaves of a query that is nothing but this relation, or -1.
double limit_for(const ::PlannerInfo* root, const ::RelOptInfo* rel,
                 const RemoteRelation& relation) {
    const ::Query* parse = root->parse;
    bool constant = (parse->limitCount != nullptr && IsA(parse->limitCount, Const)) &&
                    (parse->limitOffset == nullptr || IsA(parse->limitOffset, Const)) &&
                    parse->limitOption == LIMIT_OPTION_COUNT;
    if (!constant || root->limit_tuples < 0 || parse->hasTargetSRFs || parse->hasWindowFuncs ||
        parse->rowMarks != NIL || ::bms_num_members(root->all_baserels) != 1 ||
        ::list_length(relation.sent) != ::list_length(rel->baserestrictinfo)) {
        return -1;
    }
    return root->limit_tuples;
}

void add_remote_paths(::PlannerInfo* root, ::RelOptInfo* rel, ::Index rti,
                      const Fragment& fragment) {
    RemoteRelation* relation = new_relation(fragment, rti);
    for (int i = 0; i < ::list_length(rel->baserestrictinfo); ++i) {
        auto* restriction = static_cast<::RestrictInfo*>(::list_nth(rel->baserestrictinfo, i));
        if (can_send(restriction)) {
            relation->sent = ::lappend(relation->sent, restriction);
        }
    }
    need_columns(*relation, rel);
    rel->pathlist = NIL;
    rel->partial_pathlist = NIL;
    double limit = limit_for(root, rel, *relation);
    if (root->query_pathkeys == NIL) {
        relation->limit = limit;
    }
    ::add_path(rel, &make_path(root, rel, relation)->path);
    RemoteRelation* ordered =
        root->query_pathkeys == NIL ? nullptr : ordered_relation(root, rel, *relation);
    if (ordered != nullptr) {
        ordered->limit = limit;
        ::CustomPath* path = make_path(root, rel, ordered);
        path->path.pathkeys = root->query_pathkeys;
        if (limit >= 0 && limit < path->path.rows) {
            set_costs(&path->path, limit);
        }
        add_sort_cost(&path->path, rel->rows);
        if (limit < 0 && root->tuple_fraction <= 0) {
            add_waiting_cost(root, rel, &path->path);
        }
        ::add_path(rel, &path->path);
    }
}

void set_paths(::PlannerInfo* root, ::RelOptInfo* rel, ::Index rti, ::RangeTblEntry* rte) {
    if (previous_pathlist_hook != nullptr) {
        previous_pathlist_hook(root, rel, rti, rte);
    }
    const Fragment* fragment = fragment_of(rte);
    if (fragment != nullptr) {
        add_remote_paths(root, rel, rti, *fragment);
        return;
    }
    if (other_half(root, rel, true) != nullptr) {
        // PostgreSQL gathers above the Append, where the nodes' rows come in.
        ::generate_useful_gather_paths(root, rel, false);
    }
    add_broadcast_paths(root, rel, rte);
    replace_unnest_paths(root, rel, rte);
    const Modification* modification = modification_of(rte);
    if (modification != nullptr) {
        add_modify_path(rel, *modification);
    }
}

}  // namespace

void initialize_remote_paths() {
    previous_pathlist_hook = ::set_rel_pathlist_hook;
    ::set_rel_pathlist_hook = set_paths;
    initialize_remote_aggregates();
    initialize_estimates();
    initialize_broadcasts();
    initialize_remote_statistics();
}

}  // namespace herd::planner
