// A query level taken apart and put together again: its FROM items, its conditions, and what its
// columns refer to. PostgreSQL style.
#pragma once

#include "planner/fragment_parts.hpp"

namespace herd::planner {

// The conditions that AND connects.
::List* conditions_of(::Node* quals);
::Node* all_of(::List* conditions);
// The entries that a jointree node joins; of joins themselves (RTE_JOIN) in `joins` if not nullptr.
::Bitmapset* entries_of(::Node* node, ::Bitmapset** joins);
// The entries of the level whose columns an expression reads, in inner queries as well.
::Bitmapset* entries_read(::Node* expression);
// Entries that something reads as a whole row or by a system column.
::Bitmapset* entries_read_whole(::Query* query);
// Whether an expression or query reads a column, or uses an aggregate, of a query around its own.
bool refers_outward(::Node* node);
// Whether it reads a WITH query of its own level or of one around.
bool reads_outer_with(::Node* node);
// Moves a query some levels deeper: what it reads of the WITH queries around.
void lower_with_references(::Query* query, int levels);

// Columns of joins by the columns they stand for, and inner joins as items of FROM and conditions
// in WHERE: the same query, easier to divide.
void flatten_joins(::Query* query);
bool has_lateral(const ::Query* query);
::RangeTblEntry* blank_entry();

// SELECT (nothing yet) FROM some items of the level WHERE conditions: entries keep their numbers.
::Query* part_of_level(const ::Query* level, const ::List* items, const ::List* conditions);
// The level's columns of `entries` become those of a new entry. Returns them as outputs, as they
// are met: of Output.
::List* replace_entries(::Query* level, ::Bitmapset* entries, ::Index new_entry);
// Puts another node in the place of one in a jointree.
::Node* swap_node(::Node* node, const ::Node* old_node, ::Node* new_node);
::Node* reference_to(int rtindex);

}  // namespace herd::planner
