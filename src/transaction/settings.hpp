// What of this session's state travels to a node: the effective role, and the settings that change
// results.
#pragma once

#include <memory>
#include <string>

namespace herd::transaction {

// The command that brings a link to a session's state; another object only where it is another
// text. Links compare it with what they sent last, so that nothing is sent while nothing changes.
using SessionState = std::shared_ptr<const std::string>;

// That of this session as it is now.
const SessionState& session_state();

// Whose rights to tables statements have that are sent from now on; InvalidOid: the user's own.
// Returns whose they were.
unsigned int set_rights(unsigned int role);

void initialize_settings();

}  // namespace herd::transaction
