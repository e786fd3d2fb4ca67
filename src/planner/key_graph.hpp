// What a query's conditions say about distribution keys.
//
// Nodes are columns (query level, range table entry, attribute). An edge a -> b says: for rows
// whose a has the value v, only rows whose b has the value v matter to the result. A column is
// *fixed* when a constant, a parameter or another expression without columns is all that it can be
// equal to, or when an edge leads to it from a fixed column.
//
// Edges follow SQL's meaning: both ways for inner joins; from the preserved to the nullable side of
// an outer join; into a subquery only where a condition may be pushed down (no LIMIT, window, ...);
// from a correlated subquery's outer column inwards.
//
// PostgreSQL style: palloc, trivially destructible.
#pragma once

#include "catalog/herd_catalog.hpp"

extern "C" {
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
}

namespace herd::planner {

// One reference to a distributed table somewhere in the query.
struct DistributedRef {
    const catalog::Table* table;
    ::Query* level;
    ::Index rti;
    int key_node;  // its key's node in the graph
};

struct KeyGraph {
    ::List* columns;  // of Column*
    ::List* edges;    // of Edge*
    ::List* refs;     // of DistributedRef*
    bool has_local;   // a table whose rows are only on this server, or that the herd does not know
    bool has_reference;
    bool has_system_column;   // of a distributed table
    bool has_table_number;    // one of them is tableoid, which differs from node to node
    bool has_foreign_modify;  // a data-modifying CTE
};

// Builds the graph of a query as planner_hook sees it. Never fails for a valid query.
KeyGraph* build_key_graph(const catalog::Catalog& herd, ::Query* query);

// The expression that the column is fixed to, or nullptr. The expression has no columns; its hash
// is the key's, after the key type's hash of the expression's own type (exprType).
::Node* fixed_value(const KeyGraph& graph, int node);

// An array expression of which the column is one element, or nullptr; its elements are of
// get_element_type.
::Node* fixed_values(const KeyGraph& graph, int node);

// What the keys of all distributed tables are fixed to: one value, or the elements of one array.
// nullptr when they are not, or to different ones.
::Node* common_keys(const KeyGraph& graph, bool* is_array);

// The array of `column = ANY (array)` when the array has no columns and equal values have equal
// hashes, or nullptr. *column: the other side.
::Node* array_of_keys(::Node* condition, ::Node** column);
// The same of `column = value` or `value = column`.
::Node* value_of_key(::Node* condition, ::Node** column);

// Whether an edge path leads from one column to another.
bool reaches(const KeyGraph& graph, int from, int to);

// Whether `operator_` is equality in the default hash family of the type, comparing it with
// `other`, so that equal values have equal hashes.
bool is_hash_equality(Oid operator_, Oid key_type, Oid other);

}  // namespace herd::planner
