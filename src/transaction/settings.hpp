// What of this session's state travels to a node: the effective role, and the settings that change
// results.
#pragma once

#include <string>

namespace herd::transaction {

// The command that brings a link to this session's state. Links compare its text with what they
// sent last, so that nothing is sent while nothing changes. Valid until the next call.
const std::string& session_state_command();

void initialize_settings();

}  // namespace herd::transaction
