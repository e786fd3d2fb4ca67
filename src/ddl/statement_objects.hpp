// Which objects the statements of PostgreSQL's grammar name, and where in their trees.
#pragma once

#include <vector>

#include "pg/guard.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace herd::ddl {

// A node as what its tag says it is.
template <typename T>
const T* as(const ::Node* node) {
    return reinterpret_cast<const T*>(node);
}

// Relations that the statement works on and that exist before it runs.
std::vector<const ::RangeVar*> relations_of(const ::Node* statement);

// The names in statements that can name any kind of object.
std::vector<const ::Node*> names_of(const ::Node* statement);

// Names of a DROP, COMMENT or the like as a relation's name.
const ::RangeVar* as_relation(const ::Node* name);

// The name of the relation that the statement makes; nullptr where it makes none.
const ::RangeVar* made_relation(const ::Node* statement);

// The CREATE TABLE AS that the statement is, or that EXPLAIN ANALYZE runs; nullptr for others.
const ::CreateTableAsStmt* made_by(const ::Node* statement);

// Kinds of objects that belong to one server.
bool is_server_object(::ObjectType type);
// The kind of object that the statement names; OBJECT_TABLE where it can't be another.
::ObjectType object_type_of(const ::Node* statement);

}  // namespace herd::ddl
