#include "pg/transaction.hpp"

extern "C" {
#include "access/xact.h"
#include "pgstat.h"
#include "utils/snapmgr.h"
}

namespace herd::pg {

Transaction::Transaction() : context_(::CurrentMemoryContext) {
    call([] {
        ::SetCurrentStatementStartTimestamp();
        ::StartTransactionCommand();
        ::PushActiveSnapshot(::GetTransactionSnapshot());
    });
}

void Transaction::commit() {
    call([] {
        ::PopActiveSnapshot();
        ::CommitTransactionCommand();
        ::pgstat_report_stat(true);
    });
    ::MemoryContextSwitchTo(context_);
}

void log_and_abort(const Error& error) noexcept {
    ::MemoryContext context = ::CurrentMemoryContext;
    try {
        call([&] {
            HOLD_INTERRUPTS();
            ereport(LOG,
                    (errcode(error.state().code), errmsg_internal("%s", error.what()),
                     error.detail().empty() ? 0 : errdetail_internal("%s", error.detail().c_str()),
                     error.context().empty() ? 0 : errcontext("%s", error.context().c_str())));
            ::AbortCurrentTransaction();
            RESUME_INTERRUPTS();
        });
    } catch (...) {
        // Whoever runs next finds a transaction open, and says so.
    }
    ::MemoryContextSwitchTo(context);
}

}  // namespace herd::pg
