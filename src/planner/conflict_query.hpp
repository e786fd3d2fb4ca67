// The two queries of an INSERT ... ON CONFLICT DO UPDATE that is carried out in two steps.
// PostgreSQL style.
#pragma once

#include "planner/modify_query.hpp"
#include "planner/returned_rows.hpp"

namespace herd::planner {

// The INSERT with a DO UPDATE that changes nothing: its WHERE keeps the row in the way under the
// number (herd.keep_conflict). returned: what it returns, or nullptr.
::Query* insert_keeping(const ::Query* insert, std::int64_t number, const Returned* returned);

// The UPDATE as a SELECT over its changes, which are made from what was kept (herd.kept_conflicts).
::Query* update_kept(Rewrite& rewrite, const ::Query* insert, const catalog::Table& target,
                     std::int64_t number, const Returned* returned);

}  // namespace herd::planner
