#include "executor/fragment_snapshot.hpp"

#include "pg/guard.hpp"

extern "C" {
#include "access/xact.h"
#include "executor/execdesc.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
}

namespace herd::executor {

namespace {

std::int64_t current_number = 0;
::Snapshot saved = nullptr;
bool shared = false;

void forget() {
    if (saved != nullptr) {
        ::UnregisterSnapshotFromOwner(saved, TopTransactionResourceOwner);
        saved = nullptr;
    }
    current_number = 0;
    shared = false;
}

void on_transaction(::XactEvent event, void*) {
    if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE) {
        forget();
    } else if (event == XACT_EVENT_ABORT) {
        // The resource owner has let go of it, or is about to.
        saved = nullptr;
        current_number = 0;
        shared = false;
    }
}

}  // namespace

void begin_fragments(std::int64_t number) {
    shared = number != 0;
    if (shared && number != current_number) {
        forget();
        current_number = number;
        shared = true;
    }
}

// Of a transaction's only snapshot too there is a copy: its command number moves on.
void share_snapshot(::QueryDesc* query) {
    if (!shared || query->snapshot == InvalidSnapshot) {
        return;
    }
    if (saved == nullptr) {
        ::PushCopiedSnapshot(query->snapshot);
        saved = ::RegisterSnapshotOnOwner(::GetActiveSnapshot(), TopTransactionResourceOwner);
        ::PopActiveSnapshot();
    } else if (saved != query->snapshot) {
        ::UnregisterSnapshot(query->snapshot);
        query->snapshot = ::RegisterSnapshot(saved);
    }
}

std::int64_t fragment_number() {
    return current_number;
}

std::uint32_t fragment_command() {
    return saved != nullptr ? saved->curcid : ::GetCurrentCommandId(false);
}

void initialize_fragment_snapshot() {
    ::RegisterXactCallback(on_transaction, nullptr);
}

}  // namespace herd::executor
