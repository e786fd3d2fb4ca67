// A data-modifying query as a SELECT over its changes:
//
//     SELECT <RETURNING> FROM (SELECT <place of the row>, <new values>, <what RETURNING needs>
//                              FROM ... FOR UPDATE OFFSET 0) changes
//
// The inner query becomes fragments like any other; modify_path.cpp puts a HerdModify over it,
// which carries the changes out. What stands above reads the rows as they have become: RETURNING,
// and the checks of views.
//
// PostgreSQL style.
#pragma once

#include "executor/modify_plan_data.hpp"
#include "planner/fragment.hpp"

namespace herd::planner {

struct Modification {
    int id;
    executor::ModifyPlan plan;
    int columns;  // of a change
};

// The inner query while it is made.
struct Changes {
    const catalog::Catalog* herd;
    const catalog::Table* target;
    ::Query* query;   // the statement, about to become a SELECT
    int rti;          // of the target in it
    ::List* outputs;  // of TargetEntry
    executor::ModifyPlan plan;
    // MERGE: the query below, over the statement's entries, which decides on the action; `query` is
    // over its rows then. nullptr: `query` is over the statement's entries itself.
    Changes* below;
};

// An expression over the statement's entries, as one over those of `query`.
::Expr* over_source(Changes& changes, ::Expr* expression);
// Expressions over the statement's entries, as ones over the changes when they have been carried
// out: the target's columns are those of the changed row.
::List* after_changes(Changes& changes, const ::List* expressions);
// Rows of the target stay as they are read until they are changed. query: over the statement's
// entries.
void lock_target(const Changes& changes, ::Query* query);
// Takes the WITH queries of a query that becomes a subquery of another; the references stay right.
::List* take_with_queries(::Query* query);
// The number of the change's column that holds the expression; adds it unless it is there.
::AttrNumber add_output(Changes& changes, ::Expr* expression);
// A column of the target's row as it was read.
::Var* target_column(const Changes& changes, ::AttrNumber column);
// The columns of the target that an INSERT names: not dropped, not generated.
::List* insertable_columns(const Changes& changes);
// Adds the INSERT for rows that an UPDATE gives another node, or an identity that only INSERT can
// give, if it does.
void add_arrival(Changes& changes, executor::ModifyAction& update);
// Where a row is, to find it again.
void add_place(Changes& changes);
// Completes both queries and returns the outer one.
::Query* over_changes(Rewrite& rewrite, Changes& changes);

// The name of the entry that stands for the changes.
const char* changes_name(const Modification& modification);

// The conditions of row security on the rows that a statement changes, as they are and as they
// become.
::List* policies_of(const ::Query* query);

// UPDATE, DELETE or MERGE of a distributed or reference table; the query is changed.
::Query* select_changed(Rewrite& rewrite, ::Query* query, const catalog::Table& target);

// The changes of a MERGE, in merge_query.cpp.
void add_merge_actions(Changes& changes);
// Row security's checks of the rows that a MERGE has changed or inserted, over the changes.
::List* merge_checks(Changes& changes, const ::List* options);

}  // namespace herd::planner
