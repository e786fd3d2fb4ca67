// Statements that differ in their literals only, planned once.
//
// A statement that comes as a text (the simple protocol, or a driver that puts values into the
// text) has gone through PostgreSQL's parser and analysis when the planner sees it. Literals that
// are compared with a column, assigned to one, or inserted are taken out of it; what is left is its
// shape. From its second statement on a shape has a plan with parameters, as a prepared statement
// has, so that nothing is planned or turned into text again, and the nodes run a prepared statement
// of theirs. Every other literal stays part of the shape: it can decide what the statement means
// (GROUP BY 1 + 1, a length, a JSON path). PostgreSQL style.
#pragma once

#include "catalog/herd_catalog.hpp"

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
}

namespace herd::planner {

// A copy of the query with parameters in the literals' place, and the literals in their order
// (Consts); nullptr when the query has none that can be taken out, or is not of the simple kinds:
// SELECT, UPDATE and DELETE without subqueries, INSERT of one row.
::Query* shape_of(const catalog::Catalog& herd, const ::Query* query, ::List** literals);

// Plans a query that has no parameters of its own.
using PlanFunction = ::PlannedStmt* (*)(::Query* query, void* context);

// The plan of the statement by its shape, ready to run; nullptr when the shape has none (yet), and
// the statement has to be planned by itself. plan makes the shape's own plan.
::PlannedStmt* plan_by_shape(const catalog::Catalog& herd, const ::Query* query, PlanFunction plan,
                             void* context);

// From _PG_init.
void initialize_shapes();

}  // namespace herd::planner
