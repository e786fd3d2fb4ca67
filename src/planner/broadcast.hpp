// Broadcasts: the smaller side of a join is computed once, as a WITH query of this server, and its
// rows go to every node as arrays, so that the join and what follows become part of a fragment.
//
// A broadcast is a materialized WITH query of the level. Plans of this server's half read it as
// such; in the text for nodes it is unnest($1, $2, ...), whose arrays are arguments of the
// fragment's function (RTE_FUNCTION): the planner turns them into parameters that are computed
// before. PostgreSQL style.
#pragma once

#include "planner/level_parts.hpp"

namespace herd::planner {

// Parameters of a fragment's text that stand for arguments of its function: from this number on.
constexpr int kFirstArgument = 1'000'000;

// Turns FROM items and inner queries of a level that are small, and in the way of a larger
// fragment, into broadcasts.
void choose_broadcasts(QueryLevel& level);

// What its WITH query is called.
char* broadcast_name(int id);
// Gives the client's own WITH queries other names than that. Before the first broadcast is made.
void keep_names_apart(::Query* query);
// The broadcast that an entry refers to by its name; nullptr for any other.
const Broadcast* find_broadcast(const Rewrite& rewrite, const ::RangeTblEntry* rte);
// The WITH query's rows as an entry of a query so many levels below.
::RangeTblEntry* broadcast_entry(const Broadcast& broadcast, ::Index levels_up);

// A fragment's query for nodes: broadcasts become arrays. Fills fragment->broadcasts.
void send_broadcasts(const Rewrite& rewrite, Fragment* fragment);
// The arrays, as expressions of a query so many levels below the fragment's own.
::List* broadcast_arguments(const Fragment& fragment, int levels);
// The same query with the broadcasts' own queries in place, for estimates.
::Query* without_broadcasts(const Rewrite& rewrite, const ::Query* query);

// In a planned text's parameters: arguments of the function's entry instead of their numbers.
::List* with_arguments(::List* parameters, const ::RangeTblEntry* function);

// From _PG_init, through initialize_remote_paths.
void initialize_broadcasts();

}  // namespace herd::planner
