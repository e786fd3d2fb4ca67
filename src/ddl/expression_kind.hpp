// What happens when several servers evaluate the same expression.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace herd::ddl {

enum class ExpressionKind {
    kConstant,  // the same everywhere, given the same row and settings
    kStable,    // one value for all rows, but each server has its own: now(), current_date
    kRandom,    // a new value for each row, from nothing but built-in functions
    kSequence,  // numbers that must not be given twice
    kUnknown,   // volatile functions that users have made
};

// Of the value that ADD COLUMN gives to rows that exist.
ExpressionKind default_kind(const ::ColumnDef* column);

// Of ALTER COLUMN TYPE ... USING.
ExpressionKind conversion_kind(::Oid relid, ::Node* raw_expression);

}  // namespace herd::ddl
