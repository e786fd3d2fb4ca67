// One relation's rows in groups, as nodes deliver them: the path and its SQL text. PostgreSQL
// style.
#pragma once

#include "planner/remote_relation.hpp"

namespace herd::planner {

// Kept in a path's custom_private as if it were a node: paths are never copied. Expressions are
// over the function's entry.
struct RemoteGroups {
    RemoteRelation* relation;
    ::List* outputs;  // what a node's rows hold: expressions and aggregates
    ::List* columns;  // the same, as the plan names them: states of aggregates are marked
    ::List* numbers;  // of each output, the number by which groups and order refer to it, or 0
    ::List* groups;   // of SortGroupClause
    ::Node* having;   // what the nodes leave out, and what is left out here; or nullptr
    ::List* filter;
    ::List* order;  // of SortGroupClause; for the limit
    double limit;   // most rows that are needed of each node; negative: all
    bool partial;   // the nodes return the states of aggregates
};

RemoteGroups* new_groups(const Fragment& fragment, ::RelOptInfo* remote);

// The group columns of the query's target and the aggregates of it and of HAVING; columns that
// depend on the grouped ones too. nullptr if anything else is needed of the input.
::PathTarget* group_target(::PlannerInfo* root, ::Node* having);
// Says what the groups deliver: expressions over the function's entry that stand for the target's,
// grouped by the columns among them, as the query's clauses say. False if one is no column at all,
// or its type has no equality.
bool set_outputs(RemoteGroups* groups, ::List* expressions, const ::PathTarget* target,
                 ::List* clauses);
// The number of the query's groups, of so many input rows.
double estimate_groups(::PlannerInfo* root, const ::RelOptInfo* input);
// The rows that LIMIT and OFFSET, if constant, leave of the query's groups in its order. The nodes
// need not send more, where they can sort like this; false if they can't, or there is no limit.
bool push_limit(::PlannerInfo* root, RemoteGroups* groups, ::AppendRelInfo* remote_info);

// The path that delivers them: `target` is what is computed of a row.
::Path* remote_groups_path(::RelOptInfo* rel, RemoteGroups* groups, ::PathTarget* target,
                           double rows);

}  // namespace herd::planner
