#include "transaction/commit.hpp"

#include <algorithm>
#include <utility>

#include "catalog/decision.hpp"
#include "model/prepared_id.hpp"
#include "pg/counters.hpp"
#include "pg/failpoint.hpp"
#include "pg/server_run.hpp"
#include "pg/statement_depth.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/gate.hpp"
#include "transaction/node_steps.hpp"

extern "C" {
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "commands/async.h"
}

namespace herd::transaction {

namespace {

// How long a session waits for COMMIT PREPARED, where PostgreSQL lets nobody interrupt it.
constexpr std::int64_t kFinishTimeoutMs = 1000;

struct Part {
    Link* link;
    std::string prepared_id;
    std::uint64_t xid;
};

bool rows_here = false;

// The parts of the transaction that is between its first PREPARE and its end.
std::vector<Part>& parts_of_two_phase() {
    static auto& parts = *new std::vector<Part>;
    return parts;
}

void (*in_doubt_hook)() noexcept = nullptr;

void notify_supervisor() noexcept {
    if (in_doubt_hook != nullptr) {
        in_doubt_hook();
    }
}

std::vector<Link*> writers() {
    std::vector<Link*> found;
    for (const auto& entry : session_links()) {
        if (entry.second->in_block() && entry.second->wrote()) {
            found.push_back(entry.second.get());
        }
    }
    return found;
}

// Readers commit without an answer, except where that answer can still be a refusal.
void commit_serializable_readers() {
    std::vector<Link*> readers;
    for (const auto& entry : session_links()) {
        Link& link = *entry.second;
        if (link.in_block() && !link.wrote()) {
            link.rest();
            link.send_control("COMMIT", nullptr);
            readers.push_back(&link);
        }
    }
    for (Link* link : readers) {
        link->await_control(pg::kNoDeadline);
        link->end_of_block();
    }
}

void finish_readers() noexcept {
    for (const auto& entry : session_links()) {
        Link& link = *entry.second;
        if (link.in_block() && !link.wrote()) {
            link.commit_reader();
        } else if (!link.in_block()) {
            link.rest();
        }
    }
}

bool has_pending_notifications() {
    try {
        pg::call([] { ::AtPrepare_Notify(); });
        return false;
    } catch (const Error&) {
        return true;
    }
}

// Whether anything on this server hangs on its commit, or can still make it fail. Then the only
// writing node must not commit by itself before.
bool commits_something_here() {
    return TransactionIdIsValid(::GetTopTransactionIdIfAny()) ||
           XactIsoLevel == XACT_SERIALIZABLE ||
           (::MyXactFlags & XACT_FLAGS_ACCESSEDTEMPNAMESPACE) != 0 || has_pending_notifications();
}

// Whether others could see a half of what this transaction has done, or of what it has read.
bool touches_several() {
    int touched = rows_here || TransactionIdIsValid(::GetTopTransactionIdIfAny()) ? 1 : 0;
    for (const auto& entry : session_links()) {
        touched += entry.second->touched() ? 1 : 0;
    }
    return touched > 1;
}

void commit_one_phase(Link& link) {
    HERD_FAILPOINT("commit.before_one_phase");
    if (touches_several()) {
        // Its deferred checks may wait for the locks of a writer that a reader keeps out of the
        // gate: that reader lets go within a second.
        enter_gate();
        HERD_FAILPOINT("commit.one_phase_in_gate");
    }
    link.commit_block();
    // The node's commit was the decision: nothing from here on may fail.
    try {
        HERD_FAILPOINT("commit.after_one_phase");
    } catch (const Error& error) {
        pg::call([&] { ereport(WARNING, (errmsg_internal("%s", error.what()))); });
    }
    pg::count(pg::Counter::kCommitsOnePhase);
}

// What a PREPARE came to, for one node; the first failure decides.
void await_prepare(Link& link, std::optional<Error>& failure) {
    try {
        link.await_control(pg::kNoDeadline);
    } catch (const Error& error) {
        bool answered = error.state() != sqlstate::kConnectionFailure && !link.is_busy();
        if (answered) {
            link.set_prepared(false);  // a refused PREPARE has rolled back
        }
        failure = failure ? failure : error;
        if (!answered && (error.state() == sqlstate::kQueryCanceled ||
                          error.state() == sqlstate::kDeadlockDetected)) {
            throw;  // whoever cancels does not wait for the other nodes
        }
    }
}

void await_prepares(const std::vector<Link*>& links) {
    std::optional<Error> failure;
    // The last to be asked is likely to be the last to answer: then all wake this session up once.
    for (auto link = links.rbegin(); link != links.rend(); ++link) {
        await_prepare(**link, failure);
        HERD_FAILPOINT("commit.one_answered");
    }
    if (failure) {
        throw Error(*failure);
    }
}

void prepare_everywhere(const std::vector<Link*>& links) {
    const catalog::Catalog& herd = require_herd();
    ::FullTransactionId xid = pg::call([] { return ::GetTopFullTransactionId(); });
    PreparedId id{herd.cluster_id,
                  herd.term,
                  {},
                  U64FromFullTransactionId(xid),
                  static_cast<std::uint64_t>(pg::server_run())};
    // A crash after the nodes have prepared must not lose the decision: whatever synchronous_commit
    // says, this commit is flushed.
    ::ForceSyncCommit();
    std::vector<NodeId> nodes;
    for (const Link* link : links) {
        nodes.push_back(link->node());
    }
    HERD_FAILPOINT("commit.before_record");
    catalog::record_decision(id.xid, nodes);
    HERD_FAILPOINT("commit.before_prepare");
    for (Link* link : links) {
        id.node = link->node();
        parts_of_two_phase().push_back({link, id.text(), id.xid});
    }
    for (const Part& part : parts_of_two_phase()) {
        part.link->set_prepared(true);
        part.link->send_control("PREPARE TRANSACTION '" + part.prepared_id + "'",
                                "PREPARE TRANSACTION");
        HERD_FAILPOINT("commit.prepare_sent_to_one");
    }
    HERD_FAILPOINT("commit.prepare_sent");
    await_prepares(links);
    HERD_FAILPOINT("commit.after_prepare");
    enter_gate();
    // From here on a cancel comes too late.
    pg::check_interrupts();
    HERD_FAILPOINT("commit.before_local");
    pg::count(pg::Counter::kCommitsTwoPhase);
}

// Errors here abort the transaction, everywhere.
void before_commit() {
    std::vector<Link*> writing = writers();
    if (XactIsoLevel == XACT_SERIALIZABLE) {
        commit_serializable_readers();
    }
    if (writing.size() == 1 && !commits_something_here()) {
        commit_one_phase(*writing.front());
    } else if (!writing.empty()) {
        prepare_everywhere(writing);
    }
    finish_readers();
}

// The names of the nodes that have not acknowledged in time.
std::string commit_prepared(const std::vector<Part>& parts) {
    HERD_FAILPOINT("commit.after_local");
    for (const Part& part : parts) {
        part.link->send_owed();
        HERD_FAILPOINT("commit.commit_prepared_sent_to_one");
    }
    HERD_FAILPOINT("commit.commit_prepared_sent");
    std::int64_t deadline = pg::now_ms() + kFinishTimeoutMs;
    std::string late;
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
        if (!part->link->await_owed(deadline)) {
            part->link->leave_in_doubt(part->xid);
            late += (late.empty() ? "\"" : ", \"") + part->link->connection().node_name() + "\"";
        }
        HERD_FAILPOINT("commit.one_acknowledged");
    }
    HERD_FAILPOINT("commit.after_commit_prepared");
    return late;
}

// The decision is durable. Nothing here may fail, and PostgreSQL holds all interrupts.
void after_commit() {
    std::vector<Part> parts = std::exchange(parts_of_two_phase(), {});
    if (parts.empty()) {
        return;
    }
    for (const Part& part : parts) {
        part.link->owe("COMMIT PREPARED '" + part.prepared_id + "'");
    }
    std::string late;
    try {
        late = commit_prepared(parts);
    } catch (...) {
        for (const Part& part : parts) {
            part.link->leave_in_doubt(part.xid);
        }
        notify_supervisor();
        throw;
    }
    if (!late.empty()) {
        notify_supervisor();
        pg::call([&] {
            ereport(WARNING,
                    (errmsg("the transaction is committed, but %s has not acknowledged it yet",
                            late.c_str()),
                     errdetail("The supervisor finishes it as soon as the node answers.")));
        });
    }
}

void roll_back_prepared(const std::vector<Part>& parts) {
    std::vector<Link*> owing;
    for (const Part& part : parts) {
        if (part.link->prepared()) {
            part.link->owe("ROLLBACK PREPARED '" + part.prepared_id + "'");
            owing.push_back(part.link);
        }
    }
    HERD_FAILPOINT("rollback.before_rollback_prepared");
    for (Link* link : owing) {
        link->send_owed();
        HERD_FAILPOINT("rollback.sent_to_one");
    }
}

void after_abort() {
    std::optional<Error> failure;
    try {
        roll_back_prepared(std::exchange(parts_of_two_phase(), {}));
    } catch (const Error& error) {
        failure = error;  // the supervisor tells the nodes
    }
    for (const auto& entry : session_links()) {
        Link& link = *entry.second;
        if (link.in_block() || link.is_busy()) {
            link.abort_block();
        }
    }
    if (failure) {
        throw Error(*failure);
    }
}

// After a commit or an abort.
void forget_touched() noexcept {
    leave_gate();
    rows_here = false;
    for (const auto& entry : session_links()) {
        entry.second->forget_touched();
    }
}

void before_user_prepare() {
    if (!writers().empty()) {
        throw Error(sqlstate::kFeatureNotSupported,
                    "cannot PREPARE a transaction that has written on nodes of the herd")
            .hint("COMMIT it: the herd commits on all its nodes or none.");
    }
    finish_readers();
}

void on_transaction(::XactEvent event, void*) {
    switch (event) {
        case XACT_EVENT_PRE_COMMIT:
            pg::enter("commit", [] { before_commit(); });
            break;
        case XACT_EVENT_PRE_PREPARE:
            pg::enter("prepare transaction", [] { before_user_prepare(); });
            break;
        case XACT_EVENT_COMMIT:
            pg::enter_noexcept("after commit", [] { after_commit(); });
            forget_touched();
            pg::reset_statement_depth();
            break;
        case XACT_EVENT_ABORT:
            pg::enter_noexcept("rollback", [] { after_abort(); });
            forget_touched();
            pg::reset_statement_depth();
            break;
        default:
            break;
    }
}

bool takes_part_anywhere() {
    const Links& links = session_links();
    return std::any_of(links.begin(), links.end(),
                       [](const auto& entry) { return entry.second->in_block(); });
}

void reach_savepoint_failpoint(::SubXactEvent event) {
    if (!pg::failpoints_active() || !takes_part_anywhere()) {
        return;
    }
    if (event == SUBXACT_EVENT_PRE_COMMIT_SUB) {
        pg::enter("savepoint", [] { HERD_FAILPOINT("savepoint.before_release"); });
    } else if (event == SUBXACT_EVENT_COMMIT_SUB) {
        pg::enter_noexcept("savepoint", [] { HERD_FAILPOINT("savepoint.after_release"); });
    } else if (event == SUBXACT_EVENT_ABORT_SUB) {
        pg::enter_noexcept("savepoint", [] { HERD_FAILPOINT("savepoint.after_rollback"); });
    }
}

void on_subtransaction(::SubXactEvent event, ::SubTransactionId, ::SubTransactionId, void*) {
    if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB) {
        reach_savepoint_failpoint(event);
        return;
    }
    int level = ::GetCurrentTransactionNestLevel();
    for (const auto& entry : session_links()) {
        if (event == SUBXACT_EVENT_ABORT_SUB) {
            entry.second->abort_subtransaction(level);
        } else {
            entry.second->commit_subtransaction(level);
        }
    }
    reach_savepoint_failpoint(event);
}

}  // namespace

void set_in_doubt_hook(void (*hook)() noexcept) {
    in_doubt_hook = hook;
}

void note_rows_here() noexcept {
    rows_here = true;
}

void initialize_commit() {
    ::RegisterXactCallback(on_transaction, nullptr);
    initialize_node_steps();
    ::RegisterSubXactCallback(on_subtransaction, nullptr);
}

}  // namespace herd::transaction
