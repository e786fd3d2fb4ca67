#include "transaction/node_steps.hpp"

#include <utility>

#include "pg/failpoint.hpp"
#include "pg/guard.hpp"
#include "transaction/internal.hpp"

extern "C" {
#include "access/transam.h"
#include "access/xact.h"
}

namespace herd::transaction {

namespace {

// Whether the commit under way is the herd's; found out while the catalogue can be read. What the
// coordinator asks between statements commits, too, but has nothing to commit.
bool commits_for_the_herd = false;

void before_step(const char* name) {
    commits_for_the_herd = pg::failpoints_active() &&
                           TransactionIdIsValid(::GetTopTransactionIdIfAny()) &&
                           pg::enter("node step", [] { return is_internal_session(); });
    if (commits_for_the_herd) {
        pg::enter("node step", [&] { pg::reach_failpoint(name); });
    }
}

// An error here would break PostgreSQL's own rules: it is a warning.
void after_step(const char* name) {
    if (std::exchange(commits_for_the_herd, false)) {
        pg::enter_noexcept("node step", [&] { pg::reach_failpoint(name); });
    }
}

void on_transaction(::XactEvent event, void*) {
    switch (event) {
        case XACT_EVENT_PRE_PREPARE:
            before_step("node.before_prepare");
            break;
        case XACT_EVENT_PREPARE:
            after_step("node.after_prepare");
            break;
        case XACT_EVENT_PRE_COMMIT:
            before_step("node.before_commit");
            break;
        case XACT_EVENT_COMMIT:
            after_step("node.after_commit");
            break;
        default:
            break;
    }
}

}  // namespace

void reach_node_step(const char* name) {
    if (pg::failpoints_active() && is_internal_session()) {
        pg::reach_failpoint(name);
    }
}

void initialize_node_steps() {
    ::RegisterXactCallback(on_transaction, nullptr);
}

}  // namespace herd::transaction
