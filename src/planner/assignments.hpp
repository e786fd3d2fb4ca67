// SET as it was written, before the rewriter sorted it by column. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
}

namespace herd::planner {

// The rewriter puts assignments into the order of the table's columns, and makes one of those to
// parts of one column (SET a[1] = .., a[2] = ..). ruleutils, which prints them, expects the columns
// of SET (..) = (SELECT ..) side by side and in the subquery's order, and one part of a column in
// each assignment. Makes it so in an UPDATE, a MERGE, and ON CONFLICT DO UPDATE.
void restore_assignments(::Query* query);

// Whether a target list assigns parts of columns.
bool assigns_parts(const ::List* target_list);

}  // namespace herd::planner
