// What conditions and joins say about columns: the nodes and edges of a key graph, and values. A
// part of key_graph.cpp, which walks over the levels of a query. PostgreSQL style.
#pragma once

#include "planner/key_graph.hpp"

namespace herd::planner {

struct Column {
    ::Query* level;
    ::Index rti;
    ::AttrNumber attno;
    ::Node* value;   // fixed by a condition of its own
    ::Node* values;  // or to the elements of an array
};

struct Edge {
    int from;
    int to;
};

// Where the walk is: the query level and its ancestors, innermost first.
struct Level {
    ::Query* query;
    const Level* parent;
};

struct Walk {
    const catalog::Catalog* herd;
    KeyGraph* graph;
};

// Which columns a condition may restrict: all at an inner place, only the nullable side's in an
// outer join's ON.
struct Scope {
    ::Bitmapset* nullable;  // rtis of the nullable side, when outer is true
    bool outer;
};

// The graph's node of a column of the level's range table; made if it is not there.
int column_node(KeyGraph& graph, ::Query* level, ::Index rti, ::AttrNumber attno);

// Rows of `to` have the value that `from` has.
void add_edge(KeyGraph& graph, int from, int to);

// The graph's node of a column reference, following join aliases; -1 for what is not a plain
// column.
int node_of_var(Walk& walk, ::Node* expression, const Level* level);

// Takes in a condition (a list is a conjunction) that holds for the rows of the scope.
void visit_condition(Walk& walk, ::Node* node, const Level* level, const Scope& scope);

// Takes in the conditions of joins and WHERE.
void visit_jointree(Walk& walk, ::Node* node, const Level* level, const Scope& scope);

// Ties the output columns of a subquery to the columns that it reads, and the other way round where
// a condition on the output may be applied to its input.
void link_outputs(Walk& walk, ::Query* outer, ::Index rti, ::Query* subquery, const Level* inside,
                  bool may_push);

}  // namespace herd::planner
