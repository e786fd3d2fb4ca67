// What kinds of tables a statement touches: the cheapest test of all, made for every statement.
// PostgreSQL style.
#pragma once

#include "catalog/herd_catalog.hpp"

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
}

namespace herd::planner {

struct Survey {
    bool distributed = false;                // a distributed table anywhere
    bool remote_rows = false;                // ... some of whose shards are on other nodes
    const catalog::Table* target = nullptr;  // of the statement itself (or its data-modifying CTEs)
    bool modifies_in_cte = false;
    bool modifies_reference = false;  // a reference table, anywhere
};

Survey survey(const catalog::Catalog& herd, ::Query* query);

}  // namespace herd::planner
