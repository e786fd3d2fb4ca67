// What one utility statement creates, changes and drops on this server, as PostgreSQL's object
// access hook tells it. Statements nest: each has a log of its own.
#pragma once

#include <vector>

#include "pg/guard.hpp"

namespace herd::ddl {

struct LoggedObject {
    ::Oid classid = InvalidOid;
    ::Oid objid = InvalidOid;
    int subid = 0;
    bool internal = false;
};

struct ObjectLog {
    std::vector<LoggedObject> created;
    std::vector<LoggedObject> altered;
    std::vector<LoggedObject> dropped;
};

// The log that receives events now; returns the one before it. nullptr: none.
ObjectLog* write_log(ObjectLog* log) noexcept;

// From _PG_init, through initialize_ddl.
void initialize_object_log();

}  // namespace herd::ddl
