// One way of reading a fragment's remote part: which columns, which conditions are sent, in which
// order; and the SQL text that says it. PostgreSQL style.
#pragma once

#include "executor/remote_plan.hpp"
#include "planner/fragment.hpp"

namespace herd::planner {

// Kept in a path's custom_private as if it were a node: paths are never copied.
struct RemoteRelation {
    const Fragment* fragment;
    ::Index rti;      // of the function's entry
    ::List* columns;  // of Var: what is read, in the order of the rows
    ::List* sent;     // of RestrictInfo: conditions that the nodes check
    ::List* order;    // of SortItem
    double limit;     // most rows that are needed of each node; negative: all
};

struct SortItem {
    ::Expr* expression;
    Oid sort_operator;
    Oid equality_operator;
    Oid collation;
    bool nulls_first;
    bool hashable;
};

RemoteRelation* new_relation(const Fragment& fragment, ::Index rti);
// Columns for the relation's target and for the conditions that stay here.
void need_columns(RemoteRelation& relation, const ::RelOptInfo* rel);
// A copy that delivers the rows in the query's order, or nullptr when the nodes can't give it.
RemoteRelation* ordered_relation(::PlannerInfo* root, ::RelOptInfo* rel,
                                 const RemoteRelation& relation);
// SELECT (nothing yet) FROM (the fragment) f WHERE the conditions that are sent.
::Query* query_over(const RemoteRelation& relation);
// An expression over the function's entry, as that query names its columns.
::Node* moved_expression(const RemoteRelation& relation, const ::Expr* expression);
// A condition that the nodes can check.
bool can_send(const ::RestrictInfo* restriction);
// Whether an expression is a column that is a distribution key of the fragment's tables, and never
// null where theirs is not.
bool is_distribution_key(const RemoteRelation& relation, ::Node* expression);
// Whether an expression holds only columns, constants and the client's parameters.
bool sendable_expression(::Node* expression);
// The columns as the scan's target list.
::List* scan_columns(const RemoteRelation& relation);
// Says in the plan what is the fragment's own: group, rights, locks, and the keys that its
// conditions leave. Returns the expression of those, or nullptr.
::Node* describe_fragment(const RemoteRelation& relation, executor::RemotePlan* plan);
// Fills custom_private and custom_exprs.
void finish_scan(::PlannerInfo* root, const RemoteRelation& relation, ::CustomScan* scan);

}  // namespace herd::planner
