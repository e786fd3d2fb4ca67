// What a utility statement is about: the objects that it names, and whether they exist on every
// node.
#pragma once

#include <string>
#include <vector>

#include "ddl/object_log.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace herd::ddl {

enum class Scope {
    kEverywhere,  // on every node
    kHere,        // on this server alone: temporary, the extension's own, or over a foreign table
    kMissing,     // nothing of that name
};

struct Target {
    ::Oid relid = InvalidOid;
    Scope scope = Scope::kMissing;
};

// The relation of that name, as PostgreSQL resolves it now.
Target resolve(const ::RangeVar* name);
Scope scope_of_relation(::Oid relid);

// Scope of the whole statement before it runs; throws kDdlRefused where one part is here alone and
// another everywhere (statements that are split do not come here).
Scope scope_before(const ::Node* statement);

// Whether the statement plainly concerns temporary objects, or others of this server alone: what it
// makes or everything that it names.
bool is_here_alone(const ::Node* statement);

// Scope of what a statement has made, from its log: kMissing when it made nothing.
Scope scope_of_created(const ObjectLog& log);

}  // namespace herd::ddl
