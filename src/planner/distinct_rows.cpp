#include "planner/distinct_rows.hpp"

#include "planner/halves.hpp"
#include "planner/remote_groups.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/transam.h"
#include "catalog/pg_aggregate.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planner.h"
#include "optimizer/prep.h"
#include "optimizer/tlist.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
}

namespace herd::planner {

namespace {

// Each server's distinct rows of a target, one after the other; nullptr where nodes can't do that.
::Path* distinct_of_each(::PlannerInfo* root, const Halves& halves, const ::RelOptInfo* input,
                         ::RelOptInfo* rel, ::PathTarget* target, RemoteGroups* remote,
                         ::List* clauses, double rows) {
    double share = halves.here == nullptr ? 1 : halves.remote->rows / (input->rows + 1);
    ::Path* parts = remote_groups_path(
        rel, remote, translate_target(root, target, halves.remote_info), rows * share);
    if (halves.here == nullptr) {
        return parts;
    }
    ::AggClauseCosts costs{};
    auto* here = reinterpret_cast<::Path*>(::create_agg_path(
        root, rel, projected_half(root, halves, target, halves.here->cheapest_total_path),
        translate_target(root, target, halves.here_info), AGG_HASHED, AGGSPLIT_SIMPLE, clauses, NIL,
        &costs, ::clamp_row_est(rows * (1 - share))));
    return both_halves(root, rel, here, parts, target);
}

// Whether equal values of the type look the same, so that any of them stands for all.
bool equal_means_same(Oid type, Oid collation) {
    ::TypeCacheEntry* entry = ::lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY);
    Oid function = OidIsValid(entry->btree_opf)
                       ? ::get_opfamily_proc(entry->btree_opf, entry->btree_opintype,
                                             entry->btree_opintype, BTEQUALIMAGE_PROC)
                       : InvalidOid;
    return OidIsValid(function) &&
           DatumGetBool(::OidFunctionCall1Coll(function, collation,
                                               ObjectIdGetDatum(entry->btree_opintype)));
}

bool same_for_equal_rows(const ::Aggref* aggregate) {
    if (aggregate->aggkind != AGGKIND_NORMAL) {
        return false;
    }
    if (aggregate->aggdistinct != NIL) {
        return true;
    }
    ::HeapTuple tuple = ::SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggregate->aggfnoid));
    // min and max
    bool extreme = aggregate->aggfnoid < FirstNormalObjectId && HeapTupleIsValid(tuple) &&
                   OidIsValid(reinterpret_cast<Form_pg_aggregate>(GETSTRUCT(tuple))->aggsortop);
    ::ReleaseSysCache(tuple);
    return extreme;
}

bool all_ignore_equal_rows(::PlannerInfo* root, ::Node* having) {
    ::List* expressions = ::list_concat(
        ::pull_var_clause(
            reinterpret_cast<::Node*>(root->upper_targets[UPPERREL_GROUP_AGG]->exprs),
            PVC_INCLUDE_AGGREGATES | PVC_RECURSE_WINDOWFUNCS | PVC_RECURSE_PLACEHOLDERS),
        ::pull_var_clause(having, PVC_INCLUDE_AGGREGATES | PVC_RECURSE_PLACEHOLDERS));
    for (int i = 0; i < ::list_length(expressions); ++i) {
        auto* expression = static_cast<::Node*>(::list_nth(expressions, i));
        if (IsA(expression, Aggref) &&
            !same_for_equal_rows(reinterpret_cast<::Aggref*>(expression))) {
            return false;
        }
    }
    return true;
}

bool equal_rows_are_same(const ::List* expressions) {
    for (int i = 0; i < ::list_length(expressions); ++i) {
        auto* expression = static_cast<::Node*>(::list_nth(expressions, i));
        if (!equal_means_same(::exprType(expression), ::exprCollation(expression))) {
            return false;
        }
    }
    return expressions != NIL;
}

// The target with a number for each of its columns.
::PathTarget* numbered(const ::PathTarget* target) {
    ::PathTarget* copy = ::create_empty_pathtarget();
    for (int i = 0; i < ::list_length(target->exprs); ++i) {
        ::add_column_to_pathtarget(copy, static_cast<::Expr*>(::list_nth(target->exprs, i)),
                                   static_cast<::Index>(i + 1));
    }
    return copy;
}

}  // namespace

void add_distinct_rows(::PlannerInfo* root, ::RelOptInfo* input, ::RelOptInfo* output) {
    const ::Query* parse = root->parse;
    Halves halves{};
    if (parse->hasDistinctOn || parse->hasAggs || parse->groupClause != NIL ||
        parse->groupingSets != NIL || parse->hasWindowFuncs || parse->hasTargetSRFs ||
        !::grouping_is_hashable(parse->distinctClause) || !find_halves(root, input, &halves)) {
        return;
    }
    ::PathTarget* target = root->upper_targets[UPPERREL_DISTINCT];
    RemoteGroups* remote = new_groups(*halves.fragment, halves.remote);
    if (target->sortgrouprefs == nullptr ||
        !set_outputs(remote, translate(root, target->exprs, halves.remote_info), target,
                     parse->distinctClause) ||
        ::list_length(target->exprs) != ::list_length(parse->distinctClause) ||
        !can_send_all(halves, remote->outputs)) {
        return;
    }
    (void)push_limit(root, remote, halves.remote_info);
    double rows = ::estimate_num_groups(
        root, ::get_sortgrouplist_exprs(parse->distinctClause, root->processed_tlist), input->rows,
        nullptr, nullptr);
    ::Path* parts =
        distinct_of_each(root, halves, input, output, target, remote, parse->distinctClause, rows);
    ::AggClauseCosts costs{};
    ::add_path(output, reinterpret_cast<::Path*>(::create_agg_path(
                           root, output, parts, target, AGG_HASHED, AGGSPLIT_SIMPLE,
                           parse->distinctClause, NIL, &costs, rows)));
}

void add_distinct_inputs(::PlannerInfo* root, ::RelOptInfo* input, ::RelOptInfo* output,
                         ::Node* having) {
    const ::Query* parse = root->parse;
    Halves halves{};
    if (!parse->hasAggs || parse->groupingSets != NIL || parse->hasTargetSRFs ||
        (parse->groupClause != NIL && root->group_pathkeys == NIL) ||
        !all_ignore_equal_rows(root, having) || !equal_rows_are_same(input->reltarget->exprs) ||
        !find_halves(root, input, &halves)) {
        return;
    }
    ::PathTarget* target = numbered(input->reltarget);
    RemoteGroups* remote = new_groups(*halves.fragment, halves.remote);
    if (!set_outputs(remote, translate(root, target->exprs, halves.remote_info), target, NIL) ||
        !can_send_all(halves, remote->outputs)) {
        return;
    }
    ::RelOptInfo* rel = ::fetch_upper_rel(root, UPPERREL_PARTIAL_GROUP_AGG, output->relids);
    double rows = ::estimate_num_groups(root, target->exprs, input->rows, nullptr, nullptr);
    ::Path* parts =
        distinct_of_each(root, halves, input, rel, target, remote, remote->groups, rows);
    ::PathTarget* plain = ::copy_pathtarget(input->reltarget);
    parts->pathtarget = plain;
    ::AggStrategy strategy = AGG_PLAIN;
    if (parse->groupClause != NIL) {
        strategy = AGG_SORTED;
        parts = reinterpret_cast<::Path*>(
            ::create_sort_path(root, rel, parts, root->group_pathkeys, -1));
    }
    ::AggClauseCosts costs{};
    ::get_agg_clause_costs(root, AGGSPLIT_SIMPLE, &costs);
    ::add_path(output, reinterpret_cast<::Path*>(::create_agg_path(
                           root, output, parts, root->upper_targets[UPPERREL_GROUP_AGG], strategy,
                           AGGSPLIT_SIMPLE, parse->groupClause, reinterpret_cast<::List*>(having),
                           &costs, estimate_groups(root, input))));
}

}  // namespace herd::planner
