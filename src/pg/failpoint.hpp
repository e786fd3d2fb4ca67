// Failpoints: named places where a test or a drill makes this server fail, wait or die.
//
//   HERD_FAILPOINT("commit.after_prepare");
//
// Set in shared memory by superusers with herd.failpoint_set(name, action), for every process of
// the server; cost when none is set: one read of a flag. Actions: error, pause (until cleared),
// crash (kill -9 of this process: the server restarts).
#pragma once

#include <string>

namespace herd::pg {

bool failpoints_active();

// Acts on the failpoint; throws herd::Error for `error`, and for a cancel that comes during `pause`
// unless interrupts are held, as they are after the local commit.
void reach_failpoint(const char* name);

void set_failpoint(const std::string& name, const std::string& action);
void clear_failpoint(const std::string& name);
// Names of the failpoints at which a process waits now, separated by commas.
std::string paused_failpoints();

// From _PG_init.
void request_failpoints();

}  // namespace herd::pg

#define HERD_FAILPOINT(name)                 \
    do {                                     \
        if (herd::pg::failpoints_active()) { \
            herd::pg::reach_failpoint(name); \
        }                                    \
    } while (false)
