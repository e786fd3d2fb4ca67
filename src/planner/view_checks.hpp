// WITH CHECK OPTION of views, and of policies, as conditions that raise the error: for rows that
// nodes have changed, which know nothing of the view and can't apply the policy. PostgreSQL style.
#pragma once

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
}

namespace herd::planner {

// The options of views among them, as expressions over the target's row: true, or an error (44000).
// Row security's own checks are not among them.
::List* view_checks(const ::List* options);

// The policies of row security of that kind among them, in the same way (42501).
::List* policy_checks(const ::List* options, ::WCOKind kind);

// A condition that holds where `condition` does, with row security's checks of the row in the way
// of ON CONFLICT DO UPDATE for the rows that meet it: 42501 for one that the policies hide.
::Node* policy_condition(::Node* condition, const ::List* options);

bool has_view_checks(const ::Query* query);

// The WHERE of ON CONFLICT DO UPDATE, with the checks that the row in the way is visible through
// the views that the INSERT goes through; the same node when there are none.
::Node* conflict_condition(::Node* where, const ::List* options);

// A WHERE of ON CONFLICT DO UPDATE that raises 21000 for rows which an earlier batch of the same
// INSERT has changed. rti: of the target.
::Node* other_row_condition(::Node* where, int rti);

}  // namespace herd::planner
