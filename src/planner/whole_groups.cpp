#include "planner/whole_groups.hpp"

#include "pg/wire_types.hpp"
#include "planner/halves.hpp"
#include "planner/remote_groups.hpp"
#include "planner/shippable.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planner.h"
#include "optimizer/prep.h"
#include "optimizer/tlist.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

bool groups_by_key(const RemoteGroups& groups, const ::PathTarget* target) {
    for (int i = 0; i < ::list_length(groups.outputs); ++i) {
        if (get_pathtarget_sortgroupref(target, i) != 0 &&
            is_distribution_key(*groups.relation,
                                static_cast<::Node*>(::list_nth(groups.outputs, i)))) {
            return true;
        }
    }
    return false;
}

// HAVING: what the nodes can judge goes there.
void divide_having(RemoteGroups* groups, ::List* conditions) {
    ::List* sent = NIL;
    for (int i = 0; i < ::list_length(conditions); ++i) {
        auto* condition = static_cast<::Node*>(::list_nth(conditions, i));
        if (sendable_expression(condition) && is_shippable(condition) &&
            !::contain_volatile_functions(condition)) {
            sent = ::lappend(sent, condition);
        } else {
            groups->filter = ::lappend(groups->filter, condition);
        }
    }
    groups->having = sent == NIL ? nullptr : reinterpret_cast<::Node*>(::make_ands_explicit(sent));
}

// Values of a type that only its own server knows.
bool has_anonymous_rows(const ::List* expressions) {
    for (int i = 0; i < ::list_length(expressions); ++i) {
        Oid type = ::exprType(static_cast<::Node*>(::list_nth(expressions, i)));
        if (pg::has_local_value_type(type) && ::get_typtype(type) == TYPTYPE_PSEUDO) {
            return true;
        }
    }
    return false;
}

// The groups of this server's own rows; nullptr where they can be neither hashed nor sorted.
::Path* groups_here(::PlannerInfo* root, const Halves& halves, const ::RelOptInfo* input,
                    ::RelOptInfo* output, ::List* having, double groups) {
    const ::Query* parse = root->parse;
    ::AggStrategy strategy = AGG_HASHED;
    ::Path* rows = projected_half(root, halves, input->reltarget, halves.here->cheapest_total_path);
    if (root->numOrderedAggs > 0 || !::grouping_is_hashable(parse->groupClause)) {
        if (root->group_pathkeys == NIL || !::grouping_is_sortable(parse->groupClause)) {
            return nullptr;
        }
        strategy = AGG_SORTED;
        rows = reinterpret_cast<::Path*>(
            ::create_sort_path(root, halves.here, rows, root->group_pathkeys, -1));
    }
    ::AggClauseCosts costs{};
    ::get_agg_clause_costs(root, AGGSPLIT_SIMPLE, &costs);
    return reinterpret_cast<::Path*>(::create_agg_path(
        root, output, rows,
        translate_target(root, root->upper_targets[UPPERREL_GROUP_AGG], halves.here_info), strategy,
        AGGSPLIT_SIMPLE, parse->groupClause, translate(root, having, halves.here_info), &costs,
        groups));
}

}  // namespace

void add_whole_groups(::PlannerInfo* root, ::RelOptInfo* input, ::RelOptInfo* output,
                      ::Node* having) {
    const ::Query* parse = root->parse;
    Halves halves{};
    if (parse->groupClause == NIL || parse->groupingSets != NIL || parse->hasTargetSRFs ||
        !find_halves(root, input, &halves)) {
        return;
    }
    ::PathTarget* plain = group_target(root, having);
    if (plain == nullptr) {
        return;
    }
    RemoteGroups* remote = new_groups(*halves.fragment, halves.remote);
    if (!set_outputs(remote, translate(root, plain->exprs, halves.remote_info), plain,
                     root->parse->groupClause) ||
        !groups_by_key(*remote, plain) || !can_send_all(halves, remote->outputs) ||
        has_anonymous_rows(remote->outputs)) {
        return;
    }
    auto* conditions = reinterpret_cast<::List*>(having);
    divide_having(remote, translate(root, conditions, halves.remote_info));
    if (parse->distinctClause == NIL) {
        (void)push_limit(root, remote, halves.remote_info);
    }
    ::PathTarget* target = root->upper_targets[UPPERREL_GROUP_AGG];
    double groups = estimate_groups(root, input);
    double share = halves.here == nullptr ? 1 : halves.remote->rows / (input->rows + 1);
    ::Path* parts = remote_groups_path(
        output, remote, translate_target(root, target, halves.remote_info), groups * share);
    if (halves.here != nullptr) {
        ::Path* here =
            groups_here(root, halves, input, output, conditions, groups * (1 - share) + 1);
        if (here == nullptr) {
            return;
        }
        parts = both_halves(root, output, here, parts, target);
    }
    ::add_path(output, parts);
}

}  // namespace herd::planner
