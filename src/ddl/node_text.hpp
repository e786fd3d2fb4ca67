// What a definition's text becomes for the nodes, where the user's own would give something else
// there.
#pragma once

#include <string>

#include "ddl/object_log.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace herd::ddl {

// CREATE or ALTER ROLE: the password's verifier, as it stands in this server's catalogue.
std::string role_text(const ::Node* statement, const std::string& text);

// CREATE, ALTER EXTENSION: each extension that was made or updated, with its version and schema.
// Empty when there is nothing to do.
std::string extension_text(const ::Node* statement, const std::string& text, const ObjectLog& log);

// CREATE TABLE AS, SELECT INTO: the columns that came out; CREATE MATERIALIZED VIEW: without rows.
// Empty when nothing was made.
std::string table_as_text(const ::CreateTableAsStmt* statement, const ObjectLog& log);

// Event triggers fire on the coordinator, whose statements then go to the nodes.
std::string event_trigger_text(const ::CreateEventTrigStmt* statement, const std::string& text);

// A label whose provider a node has not loaded is left out there.
std::string security_label_text(const std::string& text);

// A DROP or TRUNCATE without the objects that are here alone: the user's text when there are none,
// empty when there is nothing else.
std::string drop_text(const ::DropStmt* statement, const std::string& text);
std::string truncate_text(const ::TruncateStmt* statement, const std::string& text);

// Role names that are read from the session, replaced by what they mean here.
std::string with_session_names(const ::Node* statement, const std::string& text);

// Bounds that PostgreSQL has computed (FOR VALUES FROM (now()) ...) as values.
std::string with_computed_bound(const ::Node* statement, const std::string& text,
                                const ObjectLog& log);

// Settings that the statement reads FROM CURRENT, as statements to run before it.
std::string settings_from_current(const ::Node* statement);

}  // namespace herd::ddl
