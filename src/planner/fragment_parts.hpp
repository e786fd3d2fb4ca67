// The pieces that fragments are made of: queries of both halves, and the relation that replaces the
// tables. PostgreSQL style.
#pragma once

#include "planner/fragment.hpp"

extern "C" {
#include "utils/relcache.h"
}

namespace herd::planner {

// One column of a fragment: where it is in the replaced relation, and what it is in the query.
struct Output {
    ::AttrNumber position;  // in the relation that replaces the tables
    ::Expr* expression;     // over the fragment's own entries, as this server computes it
    ::List* sent;           // of Expr: what nodes compute instead; NIL: the expression itself
    ::Expr* received;       // over Vars (1, 1), (1, 2) ... of `sent`; nullptr: the first of them
    const char* name;
    bool used;
    ::Expr* null;  // what stands for it when it is not used
};

// The number of the node that holds a row, as a column that every distributed table has for plans
// of our own.
constexpr ::AttrNumber kNodeColumn = -8;

Oid remote_rows_function();
// SELECT (nothing yet) FROM the entry
::Query* select_from(::RangeTblEntry* rte);
// What the nodes compute: the base query with the used outputs only.
::Query* fragment_query(const ::Query* base, const ::List* outputs);
// The column of the nodes' rows that an output is taken from as it is; 0 for any other.
int column_of_output(const ::List* outputs, const ::Expr* expression);
Fragment* new_fragment(Rewrite& rewrite, ::Query* query, int32 group);
// SELECT <outputs> from the base query's table on this server.
::Query* rows_here(const ::Query* base, const ::List* outputs);
// The subquery that replaces the tables: the nodes' rows, and this server's where it has some.
::Query* replacement(const Fragment& fragment, const ::Query* base, const ::List* outputs,
                     bool some_here);
// The outputs of one table: each column at its own place, then the system columns that the query
// reads, whose Vars in the query are changed to the places they get.
::List* table_outputs(const catalog::Catalog& herd, ::Relation relation, ::Query* query,
                      ::Index rti);

// Takes the lock clause (FOR UPDATE ...) of an entry from the query to the fragment's only entry.
// If the query is nothing but that entry, its conditions, order and limit go as well, so that no
// more rows are locked than each place has to give.
void move_row_mark(::Query* query, ::Index rti, ::Query* base);
// Whether a query, or one inside of it, has a lock clause beside an outer join. A tree walker: the
// argument is not used.
bool locks_in_outer_join(::Node* node, void* argument);
Locking locking_of(const ::Query* base);
// Makes what each node can join for itself one fragment each. Returns the relations of the
// fragments, whose places in the query are empty until install_joins: nothing in them is to be
// rewritten.
::List* merge_joins(Rewrite& rewrite, ::Query* query);
void install_joins(::Query* query, const ::List* entries);

}  // namespace herd::planner
