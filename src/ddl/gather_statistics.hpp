// After ANALYZE: where this server has none of a table's rows, the nodes' statistics take the place
// of its own, so that the planner knows what is there.
#pragma once

#include <vector>

#include "catalog/herd_catalog.hpp"

namespace herd::ddl {

// Sets the number of rows and pages to the nodes' sums, and the statistics of columns to those of
// the node with the most rows: rows are placed by a hash, so that one node's are a sample of all.
// Of built-in types only. Tables with rows here are left alone.
void gather_statistics(const catalog::Catalog& herd, const std::vector<unsigned int>& tables);

}  // namespace herd::ddl
