// Fragments: the parts of a query that every node can compute alone over its own rows.
//
// A SELECT that is not fixed to one shard is rewritten: each fragment becomes a remote relation, a
// subquery
//
//     SELECT ... FROM the tables here  UNION ALL  SELECT ... FROM herd.remote_rows(n)
//
// (the first half only where this server owns shards), and PostgreSQL's own planner plans the rest.
// The function is never called: remote_path.cpp gives its relation a CustomScan as only path.
//
// PostgreSQL style.
#pragma once

#include "planner/statement_plan.hpp"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace herd::planner {

// Whether reading a fragment locks its rows (FOR UPDATE and the like), waiting for others or not.
enum class Locking { kNone, kWaits, kDoesNotWait };

// Rows that every node gets with the fragments that join them.
struct Broadcast {
    int id;
    const char* name;
    ::Query* query;           // over whole tables
    ::CommonTableExpr* with;  // what computes them here
    ::List* values;           // of ReferenceValues*, for columns of the query's tables
    double rows;              // estimate, if another broadcast reads this one; 0: unknown
};
struct SentBroadcast {
    const Broadcast* broadcast;
    int levels_up;  // from the query level that the fragment is part of to that with the WITH query
};

struct Fragment {
    int id;
    ::Query* query;  // its columns, over whole tables: what a node computes
    int32 group_id;
    ::Bitmapset* keys;    // its columns that are distribution keys of its tables
    ::Node* fixed_keys;   // what conditions inside fix those to, or nullptr: a value
    bool fixed_to_array;  // ... or an array of them
    Oid key_collation;
    Locking locking;
    Oid role;            // whose rights the nodes apply; InvalidOid: the user's
    double rows;         // estimate, of the nodes' part
    ::List* names;       // of tables, for EXPLAIN
    ::List* broadcasts;  // of SentBroadcast*
    ::RangeTblEntry* entry;
};

// Errors: kStatementNotCovered for what this way does not do yet; never a wrong answer.
// cursor_tables: for a cursor, whose plan gets columns behind the query's own; see cursor_plan.hpp.
::PlannedStmt* plan_over_fragments(const catalog::Catalog& herd, const PlanRequest& request,
                                   ::List** cursor_tables = nullptr);

// Replaces the distributed tables of a query by remote relations, in place, and remembers the
// removed entries for complete_plan. For INSERT ... SELECT, whose target stays.
struct Rewrite {
    const catalog::Catalog* herd;
    ::List* fragments;            // of Fragment*
    ::List* removed;              // of RangeTblEntry*: for privileges, locks and invalidation
    ::ParamListInfo parameters;   // the client's, for estimates; may be nullptr
    ::List* broadcasts;           // of Broadcast*
    ::List* modifications = NIL;  // of Modification*: see modify_query.hpp
};
void rewrite_into_fragments(Rewrite& rewrite, ::Query* query);

// Whether every node can apply a table's policies by itself.
bool nodes_can_apply(const catalog::Catalog& herd, const ::List* policies);

// Makes an entry of a table whose rows are here a subquery of its own, which takes the entry's row
// mark: outer joins can't have one.
void enclose_table(const catalog::Catalog& herd, ::Query* query, ::Index rti);

// Plans a rewritten query, so that the relations of its fragments are found, and completes the
// plan.
::PlannedStmt* plan_rewritten(Rewrite& rewrite, const PlanRequest& request, ::Query* query);

// The fragment that a function's relation stands for; nullptr for any other function.
const Fragment* fragment_of(const ::RangeTblEntry* rte);
// The broadcast, in the statement that is being planned, that an entry refers to; nullptr: none.
const Broadcast* broadcast_of(const ::RangeTblEntry* rte);
// Planner support of herd.remote_rows: tells the estimated number of rows.
::Node* support_remote_rows(::Node* request);
// How many there are in the statement that is being planned.
int fragment_count();
// The modification whose changes a subquery delivers; nullptr for any other.
struct Modification;
const Modification* modification_of(const ::RangeTblEntry* rte);
// Whether the statement that is being planned changes rows one by one.
bool changes_rows();

// Whether nodes have more to do for the client's statement than one text of each: what they read
// must be one snapshot then.
bool one_of_several();
// What is planned from now on is part of a larger statement; returns what was so before.
bool set_part_of_larger(bool part);

}  // namespace herd::planner
