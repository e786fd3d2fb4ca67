// The path over the changes of a modification. PostgreSQL style.
#pragma once

#include "planner/modify_query.hpp"

namespace herd::planner {

// Makes a HerdModify the only way to read the relation, whose paths deliver the changes.
void add_modify_path(::RelOptInfo* rel, const Modification& modification);

}  // namespace herd::planner
