#include "pg/local_only.hpp"

#include "pg/guard.hpp"

extern "C" {
#include "access/xact.h"
}

namespace herd::pg {

namespace {

int depth = 0;
int depth_level = 0;  // the transaction's nesting level at which it was set first

void on_transaction(::XactEvent event, void*) {
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) {
        depth = 0;
    }
}

void on_subtransaction(::SubXactEvent event, ::SubTransactionId, ::SubTransactionId, void*) {
    if (event == SUBXACT_EVENT_ABORT_SUB && ::GetCurrentTransactionNestLevel() <= depth_level) {
        depth = 0;
    }
}

}  // namespace

bool local_only() {
    return depth > 0;
}

void set_local_only(bool on) {
    if (on && depth == 0) {
        depth_level = ::GetCurrentTransactionNestLevel();
    }
    depth += on ? 1 : -1;
    if (depth < 0) {
        depth = 0;
    }
}

int suspend_local_only() {
    int before = depth;
    depth = 0;
    return before;
}

void resume_local_only(int before) {
    if (before > 0 && depth == 0) {
        depth_level = ::GetCurrentTransactionNestLevel();
    }
    depth = before;
}

namespace {

bool planning_own_rows = false;

}  // namespace

bool take_own_rows() {
    bool taken = planning_own_rows;
    planning_own_rows = false;
    return taken;
}

OwnRows::OwnRows() {
    planning_own_rows = true;
}

OwnRows::~OwnRows() {
    planning_own_rows = false;
}

void initialize_local_only() {
    ::RegisterXactCallback(on_transaction, nullptr);
    ::RegisterSubXactCallback(on_subtransaction, nullptr);
}

}  // namespace herd::pg
