#include "planner/broadcast_path.hpp"

#include <algorithm>

#include "executor/broadcast_scan.hpp"
#include "planner/broadcast.hpp"
#include "transaction/internal.hpp"

extern "C" {
#include "access/sysattr.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
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
    const char* name;
    ::List* columns;  // of Expr: the types
    ::List* arrays;
};

::Plan* make_plan(::PlannerInfo*, ::RelOptInfo* rel, ::CustomPath* path, ::List* tlist,
                  ::List* clauses, ::List*) {
    auto* rows = static_cast<BroadcastRows*>(linitial(path->custom_private));
    auto* scan = makeNode(CustomScan);
    scan->scan.plan.targetlist = tlist;
    scan->scan.plan.qual = ::extract_actual_clauses(clauses, false);
    for (int i = 0; i < ::list_length(rows->columns); ++i) {
        auto* node = static_cast<::Node*>(::list_nth(rows->columns, i));
        auto number = static_cast<::AttrNumber>(i + 1);
        ::Var* var = ::makeVar(static_cast<int>(rel->relid), number, ::exprType(node),
                               ::exprTypmod(node), ::exprCollation(node), 0);
        scan->custom_scan_tlist =
            ::lappend(scan->custom_scan_tlist,
                      ::makeTargetEntry(reinterpret_cast<::Expr*>(var), number, nullptr, false));
    }
    scan->custom_exprs = rows->arrays;
    scan->custom_private = ::list_make1(::makeString(::pstrdup(rows->name)));
    scan->custom_relids = rel->relids;
    scan->flags = path->flags;
    scan->methods = executor::broadcast_scan_methods();
    return &scan->scan.plan;
}

constexpr ::CustomPathMethods kPathMethods = {"HerdBroadcast", make_plan, nullptr};

// At the cost of another way to read the same rows.
::CustomPath* make_path(::PlannerInfo* root, ::RelOptInfo* rel, BroadcastRows* rows,
                        const ::Path* scan) {
    auto* path = makeNode(CustomPath);
    path->path.pathtype = T_CustomScan;
    path->path.parent = rel;
    path->path.pathtarget = rel->reltarget;
    path->path.param_info = ::get_baserel_parampathinfo(root, rel, rel->lateral_relids);
    path->path.parallel_safe = rel->consider_parallel;
    path->path.rows = scan->rows;
    path->path.startup_cost = scan->startup_cost;
    path->path.total_cost = scan->total_cost;
    path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
    path->custom_private = ::list_make1(rows);
    path->methods = &kPathMethods;
    return path;
}

// The rest of the plan may do much for each row.
int workers_for(double rows) {
    constexpr double kFirstWorker = 100;
    int workers = 0;
    for (double least = kFirstWorker; rows >= least; least *= 3) {
        ++workers;
    }
    return std::min(workers, max_parallel_workers_per_gather);
}

// Each process reads other rows.
void add_shared_path(::PlannerInfo* root, ::RelOptInfo* rel, BroadcastRows* rows,
                     const ::Path* scan) {
    int workers = workers_for(rel->rows);
    if (workers == 0) {
        return;
    }
    ::CustomPath* path = make_path(root, rel, rows, scan);
    double processes = workers + (parallel_leader_participation ? 0.5 : 0);
    path->path.parallel_aware = true;
    path->path.parallel_workers = workers;
    path->path.rows = ::clamp_row_est(path->path.rows / processes);
    path->path.total_cost =
        path->path.startup_cost + (path->path.total_cost - path->path.startup_cost) / processes;
    ::add_partial_path(rel, &path->path);
}

BroadcastRows* kept(const BroadcastRows& rows) {
    auto* copy = static_cast<BroadcastRows*>(::palloc(sizeof(BroadcastRows)));
    *copy = rows;
    return copy;
}

// Instead of PostgreSQL's own path, which it costs as much as.
void replace_path(::PlannerInfo* root, ::RelOptInfo* rel, BroadcastRows* rows) {
    const auto* scan = static_cast<::Path*>(linitial(rel->pathlist));
    ::CustomPath* path = make_path(root, rel, rows, scan);
    rel->pathlist = NIL;
    ::add_path(rel, &path->path);
}

// The columns of the scan are the relation's own, without the row as a whole.
bool needs_whole_rows(const ::RelOptInfo* rel) {
    constexpr int kWholeRow = 0 - FirstLowInvalidHeapAttributeNumber;
    ::Bitmapset* columns = nullptr;
    ::pull_varattnos(reinterpret_cast<::Node*>(rel->reltarget->exprs), rel->relid, &columns);
    for (int i = 0; i < ::list_length(rel->baserestrictinfo); ++i) {
        auto* restriction = static_cast<::RestrictInfo*>(::list_nth(rel->baserestrictinfo, i));
        ::pull_varattnos(reinterpret_cast<::Node*>(restriction->clause), rel->relid, &columns);
    }
    return ::bms_is_member(kWholeRow, columns);
}

// The client's parameter whose value has been put in its place as a constant. That would be part of
// the plan, which parallel workers get as text.
::Node* parameter_behind(const ::PlannerInfo* root, ::Node* array) {
    const ::ParamListInfoData* bound = root->glob->boundParams;
    if (IsA(array, Param)) {
        return reinterpret_cast<::Param*>(array)->paramkind == PARAM_EXTERN ? array : nullptr;
    }
    if (!IsA(array, Const) || bound == nullptr || bound->paramFetch != nullptr) {
        return nullptr;
    }
    auto* constant = reinterpret_cast<::Const*>(array);
    for (int i = 0; i < bound->numParams && !constant->constisnull; ++i) {
        const ::ParamExternData& value = bound->params[i];
        if (value.ptype == constant->consttype && !value.isnull &&
            (value.pflags & PARAM_FLAG_CONST) != 0 &&
            ::datumIsEqual(value.value, constant->constvalue, false, -1)) {
            auto* param = makeNode(Param);
            param->paramkind = PARAM_EXTERN;
            param->paramid = i + 1;
            param->paramtype = constant->consttype;
            param->paramtypmod = -1;
            param->paramcollid = constant->constcollid;
            param->location = -1;
            return reinterpret_cast<::Node*>(param);
        }
    }
    return nullptr;
}

// No arrays when the entry is anything else than unnest of parameters.
BroadcastRows rows_of_unnest(const ::PlannerInfo* root, const ::RangeTblEntry* rte) {
    BroadcastRows rows = {rte->eref->aliasname, NIL, NIL};
    for (int i = 0; i < ::list_length(rte->functions); ++i) {
        auto* function = static_cast<::RangeTblFunction*>(::list_nth(rte->functions, i));
        auto* call = reinterpret_cast<::FuncExpr*>(function->funcexpr);
        ::Node* array = IsA(call, FuncExpr) && call->funcid == F_UNNEST_ANYARRAY
                            ? parameter_behind(root, static_cast<::Node*>(linitial(call->args)))
                            : nullptr;
        if (array == nullptr || function->funccolcount != 1) {
            return {nullptr, NIL, NIL};
        }
        rows.columns = ::lappend(rows.columns, call);
        rows.arrays = ::lappend(rows.arrays, array);
    }
    return rows;
}

}  // namespace

void add_broadcast_paths(::PlannerInfo* root, ::RelOptInfo* rel, const ::RangeTblEntry* rte) {
    const Broadcast* broadcast = broadcast_of(rte);
    if (broadcast == nullptr || !root->glob->parallelModeOK || rel->lateral_relids != nullptr ||
        needs_whole_rows(rel) ||
        !::is_parallel_safe(root, reinterpret_cast<::Node*>(rel->baserestrictinfo)) ||
        !::is_parallel_safe(root, reinterpret_cast<::Node*>(rel->reltarget->exprs))) {
        return;
    }
    BroadcastRows rows = {broadcast->name, NIL, find_arrays(root, *broadcast)};
    if (rows.arrays == NIL) {
        return;
    }
    for (int i = 0; i < ::list_length(broadcast->query->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(broadcast->query->targetList, i));
        rows.columns = ::lappend(rows.columns, entry->expr);
    }
    rel->consider_parallel = true;
    add_shared_path(root, rel, kept(rows), static_cast<::Path*>(linitial(rel->pathlist)));
    replace_path(root, rel, kept(rows));
}

void replace_unnest_paths(::PlannerInfo* root, ::RelOptInfo* rel, const ::RangeTblEntry* rte) {
    // What is read beside rows that are locked or changed may be asked for as it was read.
    if (rte->rtekind != RTE_FUNCTION || rte->funcordinality || rel->lateral_relids != nullptr ||
        root->parse->commandType != CMD_SELECT || root->rowMarks != NIL || needs_whole_rows(rel) ||
        !transaction::is_internal_session()) {
        return;
    }
    BroadcastRows rows = rows_of_unnest(root, rte);
    if (rows.arrays != NIL) {
        // Not shared: that makes plans look cheap in which every worker does the rest of the work
        // again, beside the workers of the herd's other servers.
        replace_path(root, rel, kept(rows));
    }
}

}  // namespace herd::planner
