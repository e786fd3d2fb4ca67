// Sorts utility statements by what has to happen on the nodes.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
}

namespace herd::ddl {

enum class Kind {
    kOther,  // no business of nodes: settings, cursors, server objects, what runs other statements
    kTransaction,  // BEGIN, COMMIT and the like
    kDefinition,   // the same text on every node
    kDrop,         // the same, or what is left of its list without objects that are here alone
    kTableAs,      // CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW: definition there, rows
                   // here
    kExtension,    // with the versions that came out here
    kRole,         // with the password's verifier
    kDatabase,     // about this database, whose name may differ on nodes
    kEventTrigger,
    kSecurityLabel,
    kTruncate,
    kLock,
    kConstraints,
    // Node by node, each in transactions of its own:
    kVacuum,
    kCluster,
    kReindex,
    kIndexConcurrently,
    kDropConcurrently,
    kDetachConcurrently,
};

Kind kind_of(const ::Node* statement);

// Whether PostgreSQL checks foreign keys by queries of its own while it runs the statement.
bool runs_own_queries(const ::Node* statement);

// Whether functions or statements inside count as nested; EXECUTE, COPY and such are the client's
// own.
bool nests(const ::Node* statement);

}  // namespace herd::ddl
