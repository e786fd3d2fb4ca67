// Expressions of a statement that this server computes once per execution, so that every node sees
// the same value: what depends on the session or the transaction (now(), current_user,
// current_setting()) and users' functions without columns. Nodes get the values as parameters.
//
// PostgreSQL style: raises PostgreSQL errors, owns nothing.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/nodes.h"
}

namespace herd::planner {

// Whether the node of an expression as planner_hook sees it becomes a parameter: it is an
// expression (not a part of another node), needs no row, is not volatile, its value may cross to
// another server, and a node would or could compute another one. Parameters themselves are not
// counted.
bool is_evaluated_here(::Node* node);

}  // namespace herd::planner
