// ALTER TABLE whose text alone would give rows different values on different servers: ADD COLUMN
// with a default that PostgreSQL evaluates there and then (now(), gen_random_uuid(), a sequence),
// and ALTER COLUMN TYPE ... USING such an expression. Only tables of the herd with rows elsewhere
// are concerned.
//
// A row of a distributed table exists once, so its node may draw a random value; a row of a
// reference table exists everywhere, and every copy gets the coordinator's value. What was
// evaluated once for all rows (now()) goes as the value that came out here.
#pragma once

#include <string>
#include <vector>

#include "catalog/herd_catalog.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace herd::ddl {

struct ColumnFill {
    enum class Way {
        kSameText,
        kLiteral,  // the value that came out here, then the default
        kValues,   // the same text, then this server's values by primary key
    };
    Way way = Way::kSameText;
    ::Oid relid = InvalidOid;
    std::string column;
};

// Before the statement runs; locks the table where it matters. Throws kDdlRefused, with the
// statements to run instead.
ColumnFill plan_column_fill(const catalog::Catalog& herd, const ::AlterTableStmt* statement);

// After it: the text for the nodes.
std::string column_fill_text(const ColumnFill& fill, const std::string& text);

}  // namespace herd::ddl
