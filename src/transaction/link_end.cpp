// The end of blocks, savepoints and prepared transactions on a link.
#include "transaction/link.hpp"

#include <algorithm>

#include "pg/failpoint.hpp"
#include "transaction/gate.hpp"

extern "C" {
#include "access/xact.h"
#include "storage/ipc.h"
}

namespace herd::transaction {

namespace {

// Commands that clean up are short, so they leave at once or the connection is no good.
constexpr std::int64_t kSendTimeoutMs = 300;
// How long a canceled session still waits for the answer to its COMMIT.
constexpr std::int64_t kAnswerTimeoutMs = 1000;

std::int64_t send_deadline() {
    return pg::now_ms() + kSendTimeoutMs;
}

}  // namespace

void Link::send_control(const std::string& sql, const char* expected_answer) {
    release();
    if (lost_block_) {
        ensure_usable();  // throws
    }
    if (steps_.empty() && ::PQtransactionStatus(connection_.raw()) == PQTRANS_IDLE) {
        // COMMIT outside of a block is but a warning to the node.
        throw Error(sqlstate::kConnectionFailure,
                    "node \"" + connection_.node_name() + "\" is not in this transaction any more")
            .hint("Roll back and run the transaction again.");
    }
    discard_steps();
    lazy_.clear();  // the savepoints end with the block
    statement_text_ = sql;
    if (sql == "COMMIT") {
        queue_commit();
    } else {
        queue_control(sql);
    }
    steps_.back().expected_answer = expected_answer;
    queue_sync();
}

void Link::await_control(std::int64_t deadline_ms) {
    while (receive(deadline_ms)) {
    }
}

void Link::commit_block() {
    ensure_usable();
    std::optional<Error> cancel;
    send_control("COMMIT", "COMMIT");
    try {
        HERD_FAILPOINT("commit.one_phase_sent");
        await_control(pg::kNoDeadline);
    } catch (const Error& error) {
        if (error.state() == sqlstate::kConnectionFailure) {
            throw_outcome_unknown(error.detail());
        }
        if (steps_.empty()) {
            throw;  // the node's own answer
        }
        if (error.state() != sqlstate::kQueryCanceled &&
            error.state() != sqlstate::kDeadlockDetected) {
            close();
            throw_outcome_unknown(error.message());
        }
        cancel = error;
    }
    if (cancel) {
        cancel_commit(*cancel);
    }
    end_of_block();
}

// Deferred checks may wait for locks; anything else comes too late to be canceled, unless the node
// hangs. Returns when the node has committed.
void Link::cancel_commit(const Error& cancel) {
    HoldInterrupts hold;
    std::int64_t deadline = pg::now_ms() + kAnswerTimeoutMs;
    try {
        forward_cancel(deadline);
    } catch (const Error&) {
    }
    try {
        await_control(deadline);
    } catch (const Error& error) {
        if (error.state() == sqlstate::kConnectionFailure ||
            error.state() == sqlstate::kNodeUnavailable) {
            close();
            throw_outcome_unknown("It was canceled.");
        }
        throw Error(error.state() == sqlstate::kQueryCanceled ? cancel : error);
    }
}

void Link::commit_reader() noexcept {
    try {
        release();
        rest();
        if (connection_.usable() && !lost_block_) {
            queue_commit();
            note_cleanup();
            queue_sync(send_deadline());
        } else {
            close();
        }
    } catch (...) {
        close();
    }
    end_of_block();
}

void Link::end_of_block() noexcept {
    in_block_ = false;
    wrote_ = false;
    prepared_ = false;
    lost_block_ = false;
    block_error_.reset();
    level_ = 1;
    begin_level_ = 1;
    fragment_ = 0;
    lazy_.clear();
    show_state();
}

void Link::abort_block() noexcept {
    state_.reset();
    if (proc_exit_inprogress || !connection_.usable()) {
        close();
        end_of_block();
        return;
    }
    cancel_copy();
    rest();
    if (in_block_ && connection_.usable()) {
        try {
            discard_steps();
            queue_cleanup("ROLLBACK");
            queue_sync(send_deadline());
        } catch (...) {
            close();
        }
    }
    end_of_block();
}

void Link::abort_subtransaction(int level) noexcept {
    if (!in_block_ || level_ < level) {
        return;
    }
    // Where nothing older is in the block, the node need not keep it, and a lost one is no loss.
    // But a transaction with one snapshot must not get a second one.
    if (begin_level_ >= level && !IsolationUsesXactSnapshot()) {
        abort_block();
        return;
    }
    state_.reset();
    cancel_copy();
    rest();
    if (lost_block_) {
        return;
    }
    try {
        discard_steps();
        block_error_.reset();
        fragment_ = kUnknownFragment;
        lazy_.clear();  // a deeper level, which goes with this one
        level_ = level - 1;
        queue_cleanup("ROLLBACK TO SAVEPOINT herd_" + std::to_string(level));
        queue_cleanup("RELEASE SAVEPOINT herd_" + std::to_string(level));
        queue_sync(send_deadline());
    } catch (...) {
        lost_block_ = true;
        close();
    }
}

void Link::commit_subtransaction(int level) noexcept {
    if (!in_block_ || level_ < level) {
        return;
    }
    try {
        // Levels above this one end with it, so the last name alone has to be released.
        lazy_ = "RELEASE SAVEPOINT herd_" + std::to_string(level);
        level_ = level - 1;
        begin_level_ = std::min(begin_level_, level_);
    } catch (...) {
        lost_block_ = true;
    }
}

void Link::owe(const std::string& command) {
    owed_ = command;
    end_of_block();
}

void Link::send_owed() noexcept {
    try {
        if (!connection_.usable()) {
            close();
            return;
        }
        discard_steps();
        queue_control(owed_);
        queue_sync(send_deadline());
    } catch (...) {
        close();
    }
}

void Link::leave_in_doubt(std::uint64_t xid) noexcept {
    in_doubt_ = xid;
    transaction::leave_in_doubt(node_, xid);
}

void Link::end_debt() noexcept {
    owed_.clear();
    if (in_doubt_ != 0) {
        settle_in_doubt(node_, std::exchange(in_doubt_, 0));
    }
}

bool Link::await_owed(std::int64_t deadline_ms) noexcept {
    if (!connection_.usable()) {
        return false;
    }
    try {
        await_control(deadline_ms);
        end_debt();
        return true;
    } catch (const Error& error) {
        if (error.state() == sqlstate::kUndefinedObject) {
            end_debt();  // the supervisor was faster
            return true;
        }
        // What else the node answers, the next statement over this link meets again.
        return false;
    } catch (...) {
        close();
        return false;
    }
}

}  // namespace herd::transaction
