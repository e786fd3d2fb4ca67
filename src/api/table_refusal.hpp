// What the checks of tables share: queries to the catalogue, and the way to say no.
#pragma once

#include <string>
#include <vector>

#include "api/table_checks.hpp"
#include "base/error.hpp"
#include "pg/spi.hpp"

// The table and, where it is partitioned, all its partitions.
#define HERD_TREE                                                                                  \
    "(SELECT $1::oid AS relid UNION SELECT relid::oid FROM pg_partition_tree($1::oid::regclass)) " \
    "tree"

namespace herd::api {

// As the extension's owner, whatever the user may see.
inline pg::Rows ask(const std::string& sql, const std::vector<pg::Field>& parameters) {
    pg::AsOwner owner;
    return pg::query(sql, parameters);
}

inline std::string id(catalog::Oid value) {
    return std::to_string(value);
}

[[noreturn]] inline void refuse(const TableFacts& table, const std::string& detail,
                                const std::string& hint) {
    throw Error(sqlstate::kNotDistributable,
                "table " + table.name + " can't be distributed as asked")
        .detail(detail)
        .hint(hint);
}

}  // namespace herd::api
