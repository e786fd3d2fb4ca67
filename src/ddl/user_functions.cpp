#include "ddl/user_functions.hpp"

#include "pg/guard.hpp"
#include "pg/local_only.hpp"

extern "C" {
#include "access/transam.h"
}

namespace herd::ddl {

namespace {

::needs_fmgr_hook_type previous_needs = nullptr;
::fmgr_hook_type previous_hook = nullptr;

// What one call of a function has put aside, and the other hook's own datum.
struct Call {
    Datum previous;
    int local_only;
};

// Asked once per function and expression, and only while a definition runs.
bool needs_hook(Oid function) {
    return (pg::local_only() && function >= FirstNormalObjectId) ||
           (previous_needs != nullptr && previous_needs(function));
}

void on_call(::FmgrHookEventType event, ::FmgrInfo* function, Datum* argument) {
    auto* call = reinterpret_cast<Call*>(DatumGetPointer(*argument));
    if (call == nullptr) {
        call = static_cast<Call*>(::MemoryContextAllocZero(function->fn_mcxt, sizeof(Call)));
        *argument = PointerGetDatum(call);
    }
    if (event == FHET_START) {
        call->local_only = pg::suspend_local_only();
    } else {
        pg::resume_local_only(call->local_only);
    }
    if (previous_hook != nullptr) {
        previous_hook(event, function, &call->previous);
    }
}

}  // namespace

void initialize_user_functions() {
    previous_needs = ::needs_fmgr_hook;
    previous_hook = ::fmgr_hook;
    ::needs_fmgr_hook = needs_hook;
    ::fmgr_hook = on_call;
}

}  // namespace herd::ddl
