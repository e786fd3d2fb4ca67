// The FROM items of one query level, joined to parts as far as every node can join its own rows:
// co-located tables by their keys, and what the nodes have whole (reference tables, broadcast
// rows) by anything. PostgreSQL style.
#pragma once

#include "planner/jointree.hpp"

namespace herd::planner {

struct Part {
    ::List* items;                // jointree nodes, joined by conditions of WHERE
    const catalog::Group* group;  // whose shards decide where the rows are; nullptr: not divided
    bool replicated;              // the nodes have all of it
    ::Bitmapset* entries;
    ::List* keys;  // of Var: distribution keys, equal to each other where not null
    bool has_role;
    Oid role;    // whose rights apply, if has_role
    int tables;  // that the part joins; 0: nothing that a node could compute
};

struct QueryLevel {
    Rewrite* rewrite;
    ::Query* query;
    ::Bitmapset* unfit;  // entries read as whole rows or by system columns
    ::List* inner;       // of Part*: joined ones below joins that are no part
};

// Does not change the query. The parts of FROM, in order; of joins that are no part, those below.
::List* find_parts(QueryLevel& level);

// A condition that nodes can check: columns of its level, no inner query.
bool can_go_inside(::Node* condition);
// A condition with inner queries whose rows lie with the part's, or are everywhere.
bool can_go_inside_with_queries(const QueryLevel& level, const Part& part, ::Node* condition);
// The conditions that read entries of the part and nothing else, and can go inside.
::List* conditions_inside(const QueryLevel& level, const Part& part);

// Whether an expression or query reads a WITH query around it that is no broadcast.
bool reads_other_with(const Rewrite& rewrite, ::Node* node);
// Whether the entry has rows that were sent to the nodes.
bool is_broadcast(const Rewrite& rewrite, const ::RangeTblEntry* rte);

}  // namespace herd::planner
