// A plan node that lets a statement run on a node of the herd only over keys which that node owns:
// the keys' values are known only when the statement runs.
//
// On top of a plan it looks at expressions, once, before the first row; below the ModifyTable of an
// INSERT it looks at the key of each row. The rows themselves pass through unchanged.
// PostgreSQL style.
#pragma once

#include "catalog/herd_catalog.hpp"

extern "C" {
#include "postgres.h"

#include "nodes/plannodes.h"
}

namespace herd::planner {

// An expression without columns, planned, that the table's key is equal to.
struct KeyCheck {
    const catalog::Table* table;
    ::Expr* key;
};

// checks: a List of KeyCheck*.
::Plan* check_keys(::Plan* plan, const ::List* checks);
// The plan's rows are rows of the table.
::Plan* check_rows(::Plan* plan, const catalog::Table& table);

// Errors: kNestedOnNode when the key's hash belongs to another node than this one.
void require_own_key(const catalog::Catalog& herd, const catalog::Table& table, Oid type,
                     Datum value, bool isnull);

// From _PG_init.
void initialize_ownership_check();

}  // namespace herd::planner
