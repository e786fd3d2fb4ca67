// What of this session's state travels to a node: the effective role, and the settings that change
// results.
#pragma once

#include <string>

namespace herd::transaction {

// The command that brings a link to this session's state. Links compare its text with what they
// sent last, so that nothing is sent while nothing changes. Valid until the next call.
const std::string& session_state_command();

// Whose rights to tables statements have that are sent from now on; InvalidOid: the user's own.
// Returns whose they were.
unsigned int set_rights(unsigned int role);

void initialize_settings();

}  // namespace herd::transaction
