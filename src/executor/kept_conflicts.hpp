// Rows in the way of an INSERT ... ON CONFLICT DO UPDATE whose new values only the coordinator can
// compute. The INSERT's WHERE calls herd.keep_conflict, which is never true: PostgreSQL has locked
// the row by then, and it is kept beside the row that was proposed. The coordinator gathers what
// its nodes have kept, and carries the changes out as an UPDATE of those very rows.
//
// A kept conflict is a row (node integer, place tid, part regclass, found, proposed), the last two
// of the table's row type.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "funcapi.h"
#include "storage/itemptr.h"
}

namespace herd::executor {

// The location of calls in plans of the herd's own. No text that a client sends has it: others
// could have rows changed that only a view's owner may change.
constexpr int kOfOwnPlan = -77;

struct Conflict {
    std::int64_t plan;  // a number of the plan, on its coordinator
    ::ItemPointer place;
    Oid part;  // the table or partition that holds the row
    Oid row_type;
    Datum found;
    Datum proposed;
    ::TransactionId inserted;  // the row's xmin
};

// On a node: raises 21000 for a row in the way that an earlier batch of the same statement has
// inserted or updated.
void require_other_row(::ItemPointer place, Oid part, ::TransactionId inserted);

// Keeps a conflict until it is taken, or until the end of the subtransaction. On a coordinator
// between begin_conflicts and end_conflicts only. Errors: 21000 for a row that an earlier batch of
// the same statement has inserted.
void keep_conflict(const Conflict& conflict);

// An execution of the plan begins; what it keeps is not mixed up with what others do, not even with
// the same plan in a trigger of the first. Returns what end_conflicts wants.
std::uint64_t begin_conflicts(std::int64_t plan);
void end_conflicts(std::uint64_t execution) noexcept;

// Puts what the plan's innermost execution has kept into a function's result. A node forgets it.
void return_conflicts(std::int64_t plan, ::ReturnSetInfo* result);

// Adds what nodes have kept for the statement of that number. table: of the rows.
void fetch_conflicts(std::int64_t plan, Oid table, const std::vector<NodeId>& nodes,
                     std::uint64_t statement);

}  // namespace herd::executor
