// The text of one statement, and edits on its tokens that leave the rest as the user wrote it.
#pragma once

#include <string>

#include "pg/guard.hpp"

extern "C" {
#include "nodes/plannodes.h"
}

namespace herd::ddl {

// The statement alone, without what stands before and behind it in the client's string.
std::string statement_text(const ::PlannedStmt* planned, const char* query_string);

// Replaces the string constant of the PASSWORD option with a literal of `verifier`.
std::string with_password(const std::string& text, const std::string& verifier);

// The names behind the keyword DATABASE that are `from` become `to`.
std::string with_database(const std::string& text, const std::string& from, const std::string& to);

// The keyword SESSION_USER becomes a role's name.
std::string with_session_user(const std::string& text, const std::string& role);

// CREATE TABLE ... PARTITION OF with the bound (FOR VALUES ... or DEFAULT) given as `bound`.
std::string with_partition_bound(const std::string& text, const std::string& bound);

}  // namespace herd::ddl
