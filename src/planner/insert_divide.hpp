// INSERT ... SELECT whose source's nodes divide the rows by their owners. PostgreSQL style.
#pragma once

#include "catalog/herd_catalog.hpp"
#include "executor/insert_plan_data.hpp"

namespace herd::planner {

// Sets plan.fields, if the finished plan only hands on columns of one remote scan, and constants,
// and the rows may go by COPY.
void divide_by_nodes(const ::ModifyTable* modify, const catalog::Table& target,
                     executor::InsertPlan& plan);

}  // namespace herd::planner
