// Which types' values mean the same on every server, and which of them may cross in binary.
//
// PostgreSQL style: may raise PostgreSQL errors, owns nothing.
#pragma once

extern "C" {
#include "postgres.h"
}

namespace herd::pg {

// Whether a value of the type belongs to the server it was made on: object and transaction ids, row
// addresses, and what has no type of its own (records, pseudo-types); or contains such a value.
bool has_local_value_type(Oid type);

// Whether the type is one of those that hold an object's id but print its name (regclass, ...), or
// an array of one: its text crosses when it is written with search_path = pg_catalog.
bool crosses_by_name(Oid type);

// Whether values of the type may cross in binary between two servers: built-in, not local to a
// server, with a send and a receive function that mean it.
bool binary_is_portable(Oid type);

// Whether values of the type may be sent in binary to a server that knows the type from elsewhere,
// a column's definition or a cast: those above, domains over them, and enums, which go by name.
bool binary_is_stored(Oid type);

}  // namespace herd::pg
