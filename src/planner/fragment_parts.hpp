// The pieces that fragments are made of: queries of both halves, and the relation that replaces the
// tables. PostgreSQL style.
#pragma once

#include "planner/fragment.hpp"

namespace herd::planner {

// One column of a fragment: where it is in the replaced relation, and what it is in the query.
struct Output {
    ::AttrNumber position;  // in the relation that replaces the tables
    ::Expr* expression;     // over the fragment's own entries
    const char* name;
    bool used;
    ::Expr* null;  // what stands for it when it is not used
};

Oid remote_rows_function();
// SELECT (nothing yet) FROM the entry
::Query* select_from(::RangeTblEntry* rte);
// What the nodes compute: the base query with the used outputs only.
::Query* fragment_query(const ::Query* base, const ::List* outputs);
Fragment* new_fragment(Rewrite& rewrite, ::Query* query, int32 group);
// The subquery that replaces the tables: the nodes' rows, and this server's where it has some.
::Query* replacement(const Fragment& fragment, const ::Query* base, const ::List* outputs,
                     bool some_here);
// Merges co-located tables that a query level joins by their keys: each such join is one fragment.
void merge_joins(Rewrite& rewrite, ::Query* query);

}  // namespace herd::planner
