// How many rows other servers hold, and how many a query over them returns, estimated by
// PostgreSQL's own planner: the query is planned as if this server held all rows.
// PostgreSQL style.
#pragma once

#include "catalog/herd_catalog.hpp"

extern "C" {
#include "postgres.h"

#include "nodes/params.h"
#include "nodes/parsenodes.h"
}

namespace herd::planner {

// Rows of a distributed table on the other nodes, from what this server and ANALYZE know.
double rows_on_nodes(const catalog::Catalog& herd, const catalog::Table& table);
// The same with this server's.
double rows_of_herd(const catalog::Catalog& herd, const catalog::Table& table);

// Rows that a SELECT over whole tables returns. The query is copied. Without parameters' values
// the estimate is a generic plan's.
struct Estimate {
    double rows;
    int width;  // of a row, in bytes
};
Estimate estimate(const catalog::Catalog& herd, const ::Query* query, ::ParamListInfo parameters);
// The part of a group's rows that is on the other nodes, from 0 to 1.
double share_of_nodes(const catalog::Catalog& herd, const catalog::Group& group);

// From _PG_init, through initialize_remote_paths.
void initialize_estimates();

}  // namespace herd::planner
