#include "planner/halves.hpp"

#include "planner/remote_relation.hpp"
#include "planner/shippable.hpp"

extern "C" {
#include "optimizer/appendinfo.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/tlist.h"
}

namespace herd::planner {

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
bool can_send_all(const Halves& halves, const ::List* expressions) {
    for (int i = 0; i < ::list_length(halves.remote->baserestrictinfo); ++i) {
        if (!can_send(
                static_cast<::RestrictInfo*>(::list_nth(halves.remote->baserestrictinfo, i)))) {
            return false;
        }
    }
    for (int i = 0; i < ::list_length(expressions); ++i) {
        auto* expression = static_cast<::Node*>(::list_nth(expressions, i));
        if (!sendable_expression(expression) || !is_shippable(expression) ||
            ::contain_volatile_functions(expression)) {
            return false;
        }
    }
    return true;
}

::Path* projected_half(::PlannerInfo* root, const Halves& halves, ::PathTarget* target,
                       ::Path* rows) {
    return reinterpret_cast<::Path*>(::create_projection_path(
        root, halves.here, rows, translate_target(root, target, halves.here_info)));
}

::Path* both_halves(::PlannerInfo* root, ::RelOptInfo* rel, ::Path* here, ::Path* remote,
                    ::PathTarget* target) {
    auto* parts = reinterpret_cast<::Path*>(::create_append_path(
        root, rel, ::list_make2(here, remote), NIL, NIL, nullptr, 0, false, -1));
    parts->pathtarget = target;
    return parts;
}

}  // namespace herd::planner
