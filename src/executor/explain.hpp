// What EXPLAIN says of the parts that nodes run: who, the SQL sent, and with ANALYZE their own
// plans.
#pragma once

#include "executor/remote_run.hpp"

extern "C" {
struct ExplainState;
}

namespace herd::executor {

// The text that nodes get, on one line.
void explain_text(const char* text, ::ExplainState* es);

// local_part: this server's own part belongs to the same node of the plan.
void explain_remote(RemoteRun& run, ::ExplainState* es, bool local_part);

}  // namespace herd::executor
