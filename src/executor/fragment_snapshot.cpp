#include "executor/fragment_snapshot.hpp"

#include "pg/guard.hpp"

extern "C" {
#include "access/xact.h"
#include "executor/execdesc.h"
#include "nodes/execnodes.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
}

namespace herd::executor {

namespace {

std::int64_t current_number = 0;
::Snapshot saved = nullptr;
bool shared = false;
bool is_part = false;  // of statement current_number, with its snapshot or with one of its own

void forget() {
    if (saved != nullptr) {
        ::UnregisterSnapshotFromOwner(saved, TopTransactionResourceOwner);
        saved = nullptr;
    }
    current_number = 0;
    shared = false;
    is_part = false;
}

void on_transaction(::XactEvent event, void*) {
    if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE) {
        forget();
    } else if (event == XACT_EVENT_ABORT) {
        // The resource owner has let go of it, or is about to.
        saved = nullptr;
        current_number = 0;
        shared = false;
        is_part = false;
    }
}

}  // namespace

void begin_fragments(std::int64_t number) {
    if (number > 0 && number != current_number) {
        forget();
        current_number = number;
    }
    shared = number > 0;
    is_part = shared || (number != 0 && -number == current_number);
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

void share_command(::QueryDesc* query) {
    if (is_part && saved != nullptr && query->operation != CMD_UTILITY) {
        query->estate->es_output_cid = saved->curcid;
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
