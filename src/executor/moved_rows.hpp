// Rows that get a key of another node: they are deleted where they are and inserted there. Rows
// that reference them would stay behind.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"

namespace herd::executor {

// A foreign key that references the table.
struct Reference {
    std::string query;  // rows that reference rows of t, up to a condition on t
    std::string table;
    std::string child;
    std::string name;
    bool follows;  // ON UPDATE CASCADE, SET NULL, SET DEFAULT: the others would change
};

std::vector<Reference> references_to(unsigned int relid);

// places: SQL rows (ctid, tableoid) of the rows that are to move from the node (std::nullopt: from
// here). Errors: 23503 when rows reference them, as PostgreSQL; kKeyUpdate when the foreign key
// says that these should follow.
void require_unreferenced(const std::vector<Reference>& references, std::optional<NodeId> node,
                          const std::string& places);

}  // namespace herd::executor
