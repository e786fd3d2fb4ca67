#include "transaction/deadlock_error.hpp"

#include "remote/session_board.hpp"

extern "C" {
#include "utils/memutils.h"
}

namespace herd::transaction {

namespace {

constexpr const char* kMessage = "deadlock detected";
constexpr const char* kHint = "See server log for query details.";

::emit_log_hook_type previous_hook = nullptr;

void tell_at_the_end(::ErrorData* error) {
    if (error->sqlerrcode == ERRCODE_QUERY_CANCELED) {
        if (const char* detail = remote::take_deadlock_detail()) {
            error->sqlerrcode = ERRCODE_T_R_DEADLOCK_DETECTED;
            error->message = ::MemoryContextStrdup(error->assoc_context, kMessage);
            error->detail = ::MemoryContextStrdup(error->assoc_context, detail);
            error->hint = ::MemoryContextStrdup(error->assoc_context, kHint);
        }
    }
    if (previous_hook != nullptr) {
        previous_hook(error);
    }
}

}  // namespace

void tell_deadlock(void*) {
    if (::geterrcode() != ERRCODE_QUERY_CANCELED) {
        return;
    }
    if (const char* detail = remote::take_deadlock_detail()) {
        ::errcode(ERRCODE_T_R_DEADLOCK_DETECTED);
        ::errmsg_internal("%s", kMessage);
        ::errdetail_internal("%s", detail);
        ::errhint("%s", kHint);
    }
}

void initialize_deadlock_error() {
    previous_hook = ::emit_log_hook;
    ::emit_log_hook = tell_at_the_end;
}

}  // namespace herd::transaction
