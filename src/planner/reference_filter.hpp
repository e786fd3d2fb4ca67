// What reference tables that a query level joins say about other parts of it: the values that
// columns can have, and so rows that a broadcast can leave out. PostgreSQL style.
#pragma once

#include "planner/level_parts.hpp"

namespace herd::planner {

// a.x = b.y AND b.y = r.z AND r.w = 'some': a.x has values of (SELECT r.z FROM r WHERE r.w =
// 'some').
struct ReferenceValues {
    ::Var* column;
    ::Query* query;
    ::OpExpr* equality;  // of the column and the values
    bool filters;        // the reference table is none of the column's part
    double count;        // estimate
};
// Of ReferenceValues*, for the columns of a part.
::List* reference_values(const QueryLevel& level, ::Bitmapset* part);
// column IN (query), for those that filter.
::List* reference_filters(const ::List* values);
// The most different values that a column of the part can have by them; 0: they do not say.
double most_values(const ::List* values, const ::Var* column);

}  // namespace herd::planner
