// The two halves of a query's only relation: what this server reads, and what the nodes deliver.
// For what is computed above it on either side: groups, aggregates, distinct rows. PostgreSQL
// style.
#pragma once

#include "planner/fragment.hpp"

namespace herd::planner {

struct Halves {
    ::RelOptInfo* remote;  // the fragment's function
    const Fragment* fragment;
    ::AppendRelInfo* remote_info;  // nullptr when there is no half here
    ::RelOptInfo* here;
    ::AppendRelInfo* here_info;
};

// False when `input` is anything else than one fragment.
bool find_halves(::PlannerInfo* root, const ::RelOptInfo* input, Halves* halves);

// Expressions over the relation, as one half knows its columns.
::List* translate(::PlannerInfo* root, ::List* expressions, ::AppendRelInfo* info);
::PathTarget* translate_target(::PlannerInfo* root, ::PathTarget* target, ::AppendRelInfo* info);

// Whether nodes can check all conditions on their half, and compute these expressions over it.
bool can_send_all(const Halves& halves, const ::List* expressions);

// The half here with the target of the whole relation computed, over one of the ways to read it.
::Path* projected_half(::PlannerInfo* root, const Halves& halves, ::PathTarget* target,
                       ::Path* rows);

// What both halves deliver, as `target` of `rel`.
::Path* both_halves(::PlannerInfo* root, ::RelOptInfo* rel, ::Path* here, ::Path* remote,
                    ::PathTarget* target);

}  // namespace herd::planner
