#include "planner/remote_aggregate.hpp"

#include <cstring>

#include "executor/remote_scan.hpp"
#include "pg/plan_settings.hpp"
#include "pg/wire_types.hpp"
#include "planner/broadcast.hpp"
#include "planner/deparse.hpp"
#include "planner/remote_relation.hpp"
#include "planner/shippable.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/appendinfo.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planner.h"
#include "optimizer/prep.h"
#include "optimizer/tlist.h"
#include "utils/selfuncs.h"
}

namespace herd::planner {

namespace {

::create_upper_paths_hook_type previous_hook = nullptr;

constexpr double kRoundTripCost = 100;
constexpr double kRowCost = 0.2;

// The only relation of the query, taken apart.
struct Halves {
    ::RelOptInfo* remote;  // the fragment's function
    const Fragment* fragment;
    ::AppendRelInfo* remote_info;  // nullptr when there is no half here
    ::RelOptInfo* here;
    ::AppendRelInfo* here_info;
};

bool find_halves(::PlannerInfo* root, const ::RelOptInfo* input, Halves* halves) {
    int rti = 0;
    if (!::bms_get_singleton_member(input->relids, &rti)) {
        return false;
    }
    halves->fragment = fragment_of(root->simple_rte_array[rti]);
    if (halves->fragment != nullptr) {
        halves->remote = root->simple_rel_array[rti];
        return true;
    }
    for (int i = 0; i < ::list_length(root->append_rel_list); ++i) {
        auto* info = static_cast<::AppendRelInfo*>(::list_nth(root->append_rel_list, i));
        if (static_cast<int>(info->parent_relid) != rti) {
            continue;
        }
        const Fragment* fragment = fragment_of(root->simple_rte_array[info->child_relid]);
        if (fragment != nullptr && halves->fragment == nullptr) {
            halves->fragment = fragment;
            halves->remote = root->simple_rel_array[info->child_relid];
            halves->remote_info = info;
        } else if (fragment == nullptr && halves->here_info == nullptr) {
            halves->here = root->simple_rel_array[info->child_relid];
            halves->here_info = info;
        } else {
            return false;
        }
    }
    return halves->fragment != nullptr && halves->here != nullptr &&
           halves->here->cheapest_total_path != nullptr;
}

// What a node and this server's half deliver: group columns, then aggregates to be combined.
// `plain` gets the same as the node's text has to say it.
bool make_targets(::PlannerInfo* root, ::PathTarget* partial, ::List** plain, ::Node* having) {
    const ::PathTarget* target = root->upper_targets[UPPERREL_GROUP_AGG];
    ::List* others = NIL;
    int position = 0;
    for (int i = 0; i < ::list_length(target->exprs); ++i, ++position) {
        auto* expression = static_cast<::Expr*>(::list_nth(target->exprs, i));
        ::Index reference = get_pathtarget_sortgroupref(target, position);
        if (reference != 0 && root->parse->groupClause != NIL &&
            ::get_sortgroupref_clause_noerr(reference, root->parse->groupClause) != nullptr) {
            if (IsA(expression, Const)) {
                return false;
            }
            ::add_column_to_pathtarget(partial, expression, reference);
            *plain = ::lappend(*plain, expression);
        } else {
            others = ::lappend(others, expression);
        }
    }
    if (having != nullptr) {
        others = ::lappend(others, having);
    }
    ::List* parts = ::pull_var_clause(
        reinterpret_cast<::Node*>(others),
        PVC_INCLUDE_AGGREGATES | PVC_RECURSE_WINDOWFUNCS | PVC_INCLUDE_PLACEHOLDERS);
    for (int i = 0; i < ::list_length(parts); ++i) {
        auto* part = static_cast<::Expr*>(::list_nth(parts, i));
        if (list_member(*plain, part)) {
            continue;
        }
        if (!IsA(part, Aggref)) {
            return false;  // a column that depends on the grouped ones
        }
        *plain = ::lappend(*plain, part);
        auto* copy = makeNode(Aggref);
        std::memcpy(copy, part, sizeof(::Aggref));
        ::mark_partial_aggref(copy, AGGSPLIT_INITIAL_SERIAL);
        ::add_column_to_pathtarget(partial, reinterpret_cast<::Expr*>(copy), 0);
    }
    return ::list_length(*plain) > 0;
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

struct AggregatePath {
    RemoteRelation* relation;
    ::List* plain;   // over the function's entry: the text's target list
    ::List* groups;  // of SortGroupClause, numbered as in the path's target
};

// SELECT groups, aggregates FROM (the fragment) f WHERE ... GROUP BY groups
::Query* aggregate_query(const AggregatePath& path, const ::PathTarget* target) {
    ::Query* query = query_over(*path.relation);
    query->hasAggs = true;
    for (int i = 0; i < ::list_length(path.plain); ++i) {
        auto* expression = static_cast<::Expr*>(::list_nth(path.plain, i));
        auto* moved = reinterpret_cast<::Expr*>(moved_expression(*path.relation, expression));
        ::TargetEntry* entry = ::makeTargetEntry(moved, static_cast<::AttrNumber>(i + 1),
                                                 ::psprintf("c%d", i + 1), false);
        ::Index reference = get_pathtarget_sortgroupref(target, i);
        if (reference != 0) {
            entry->ressortgroupref = reference;
            query->groupClause =
                ::lappend(query->groupClause,
                          copyObjectImpl(::get_sortgroupref_clause(reference, path.groups)));
        }
        query->targetList = ::lappend(query->targetList, entry);
    }
    return query;
}

::Plan* make_plan(::PlannerInfo* root, ::RelOptInfo*, ::CustomPath* path, ::List* tlist, ::List*,
                  ::List*) {
    auto* aggregate = static_cast<AggregatePath*>(linitial(path->custom_private));
    RemoteText text =
        deparse(aggregate_query(*aggregate, path->path.pathtarget), "/*herd partial*/ ");
    executor::RemotePlan plan;
    plan.text = text.text;
    plan.plan_id = executor::new_plan_id();
    plan.binary = true;
    ::Node* keys = describe_fragment(*aggregate->relation, &plan);
    auto* scan = makeNode(CustomScan);
    scan->scan.plan.targetlist = tlist;
    for (int i = 0; i < ::list_length(tlist); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(tlist, i));
        scan->custom_scan_tlist =
            ::lappend(scan->custom_scan_tlist,
                      ::makeTargetEntry(static_cast<::Expr*>(copyObjectImpl(entry->expr)),
                                        static_cast<::AttrNumber>(i + 1), nullptr, false));
    }
    scan->flags = path->flags;
    scan->methods = executor::remote_scan_methods();
    scan->custom_private = executor::to_list(plan);
    scan->custom_exprs = executor::expressions_of(
        plan, keys,
        with_arguments(text.parameters, root->simple_rte_array[aggregate->relation->rti]));
    return &scan->scan.plan;
}

constexpr ::CustomPathMethods kPathMethods = {"HerdRemote", make_plan, nullptr};

::List* translate(::PlannerInfo* root, ::List* expressions, ::AppendRelInfo* info) {
    return info == nullptr ? expressions
                           : reinterpret_cast<::List*>(::adjust_appendrel_attrs(
                                 root, reinterpret_cast<::Node*>(expressions), 1, &info));
}

::PathTarget* translate_target(::PlannerInfo* root, ::PathTarget* target, ::AppendRelInfo* info) {
    ::PathTarget* copy = ::copy_pathtarget(target);
    copy->exprs = translate(root, target->exprs, info);
    return copy;
}

// Everything that the relation's nodes would have to evaluate.
bool can_send_all(const Halves& halves, const ::List* plain) {
    for (int i = 0; i < ::list_length(halves.remote->baserestrictinfo); ++i) {
        if (!can_send(
                static_cast<::RestrictInfo*>(::list_nth(halves.remote->baserestrictinfo, i)))) {
            return false;
        }
    }
    for (int i = 0; i < ::list_length(plain); ++i) {
        auto* expression = static_cast<::Node*>(::list_nth(plain, i));
        if (!sendable_expression(expression) || !is_shippable(expression) ||
            ::contain_volatile_functions(expression)) {
            return false;
        }
    }
    return true;
}

::Path* remote_part(::PlannerInfo* root, ::RelOptInfo* partial_rel, const Halves& halves,
                    ::PathTarget* target, ::List* plain, double groups) {
    auto* aggregate = static_cast<AggregatePath*>(::palloc0(sizeof(AggregatePath)));
    aggregate->relation = new_relation(*halves.fragment, halves.remote->relid);
    aggregate->relation->sent = halves.remote->baserestrictinfo;
    aggregate->plain = plain;
    aggregate->groups = root->parse->groupClause;
    auto* path = makeNode(CustomPath);
    path->path.pathtype = T_CustomScan;
    path->path.parent = partial_rel;
    path->path.pathtarget = target;
    path->path.rows = groups;
    path->path.startup_cost = kRoundTripCost;
    path->path.total_cost = kRoundTripCost + kRowCost * groups;
    path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
    path->custom_private = ::list_make1(aggregate);
    path->methods = &kPathMethods;
    return &path->path;
}

::Path* part_here(::PlannerInfo* root, ::RelOptInfo* input, ::RelOptInfo* partial_rel,
                  const Halves& halves, ::PathTarget* partial, ::AggStrategy strategy,
                  const ::AggClauseCosts* costs, double groups) {
    ::PathTarget* needed = translate_target(root, input->reltarget, halves.here_info);
    ::Path* rows = reinterpret_cast<::Path*>(
        ::create_projection_path(root, halves.here, halves.here->cheapest_total_path, needed));
    return reinterpret_cast<::Path*>(::create_agg_path(
        root, partial_rel, rows, translate_target(root, partial, halves.here_info), strategy,
        AGGSPLIT_INITIAL_SERIAL, root->parse->groupClause, NIL, costs, groups));
}

void add_paths(::PlannerInfo* root, ::RelOptInfo* input, ::RelOptInfo* output,
               const ::GroupPathExtraData* extra) {
    const ::Query* parse = root->parse;
    Halves halves{};
    // What returns sets is expanded between aggregation and its input or output.
    if (!pg::partial_aggregates_enabled() || parse->groupingSets != NIL || parse->hasTargetSRFs ||
        (parse->groupClause == NIL && !parse->hasAggs) || root->hasNonPartialAggs ||
        root->hasNonSerialAggs ||
        (parse->groupClause != NIL && !::grouping_is_hashable(parse->groupClause)) ||
        !find_halves(root, input, &halves)) {
        return;
    }
    ::PathTarget* partial = ::create_empty_pathtarget();
    ::List* plain = NIL;
    if (!make_targets(root, partial, &plain, extra->havingQual) ||
        !states_can_travel(partial->exprs)) {
        return;
    }
    ::List* remote_plain = translate(root, plain, halves.remote_info);
    if (!can_send_all(halves, remote_plain)) {
        return;
    }
    ::set_pathtarget_cost_width(root, partial);
    double groups =
        parse->groupClause == NIL
            ? 1
            : ::estimate_num_groups(
                  root, ::get_sortgrouplist_exprs(parse->groupClause, root->processed_tlist),
                  input->rows, nullptr, nullptr);
    ::AggStrategy strategy = parse->groupClause == NIL ? AGG_PLAIN : AGG_HASHED;
    ::AggClauseCosts partial_costs{};
    ::AggClauseCosts final_costs{};
    ::get_agg_clause_costs(root, AGGSPLIT_INITIAL_SERIAL, &partial_costs);
    ::get_agg_clause_costs(root, AGGSPLIT_FINAL_DESERIAL, &final_costs);
    ::RelOptInfo* partial_rel = ::fetch_upper_rel(root, UPPERREL_PARTIAL_GROUP_AGG, output->relids);
    partial_rel->reltarget = partial;
    ::Path* parts =
        remote_part(root, partial_rel, halves, translate_target(root, partial, halves.remote_info),
                    remote_plain, groups);
    if (halves.here != nullptr) {
        ::Path* here =
            part_here(root, input, partial_rel, halves, partial, strategy, &partial_costs, groups);
        parts = reinterpret_cast<::Path*>(::create_append_path(
            root, partial_rel, ::list_make2(here, parts), NIL, NIL, nullptr, 0, false, -1));
        parts->pathtarget = partial;
    }
    ::add_path(output, reinterpret_cast<::Path*>(::create_agg_path(
                           root, output, parts, root->upper_targets[UPPERREL_GROUP_AGG], strategy,
                           AGGSPLIT_FINAL_DESERIAL, parse->groupClause,
                           reinterpret_cast<::List*>(extra->havingQual), &final_costs, groups)));
}

void upper_paths(::PlannerInfo* root, ::UpperRelationKind stage, ::RelOptInfo* input,
                 ::RelOptInfo* output, void* extra) {
    if (previous_hook != nullptr) {
        previous_hook(root, stage, input, output, extra);
    }
    if (stage == UPPERREL_GROUP_AGG && fragment_count() > 0) {
        add_paths(root, input, output, static_cast<const ::GroupPathExtraData*>(extra));
    }
}

}  // namespace

void initialize_remote_aggregates() {
    previous_hook = ::create_upper_paths_hook;
    ::create_upper_paths_hook = upper_paths;
}

}  // namespace herd::planner
