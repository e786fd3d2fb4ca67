// Statements whose row security the coordinator has applied: to the rows that they change, and to
// what these become. Policies may read what the server that runs the statement does not have.
// PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
}

namespace herd::executor {

// What such a statement begins with.
constexpr const char kCheckedMark[] = "/*herd checked*/";

// If the text has the mark: takes the policies out of its query, which the rewriter has put there.
// Only for texts that come from the coordinator itself.
void leave_out_policies(const char* text, ::Query* query);

}  // namespace herd::executor
