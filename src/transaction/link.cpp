// Sending and receiving.
#include "transaction/link.hpp"

#include "remote/session_board.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/session.hpp"
#include "transaction/settings.hpp"

namespace herd::transaction {

namespace {

// How long a node may take to do what it was told when its work was canceled.
constexpr std::int64_t kCancelTimeoutMs = 1000;
// How long to read rows that nobody wants before the node is told to stop.
constexpr std::int64_t kReadAwayMs = 20;

}  // namespace

void Link::send(const Statement& statement, Stream* stream) {
    release();
    ensure_usable();
    discard_steps();
    remote::board_transaction();
    take_cleanup_answers_of_session();
    const SessionState& state = session_state();
    statement_text_ = statement.text;
    if (statement.lone && statement.repeatable && statement.fragment == 0 && !in_block_) {
        kept_.keep(statement, state);
    }
    std::optional<Error> lost;
    try {
        bool lone = statement.lone && !in_block_;
        if (!lone) {
            queue_block();
        }
        queue_state(state, statement.fragment);
        queue_statement(statement);
        wrote_ = wrote_ || (statement.writes && !lone);
        touched_ = true;
        lone_write_ = statement.writes && lone;
        fragment_ = lone ? 0 : fragment_;
        stream_ = stream;
        queue_sync();
    } catch (const Error& error) {
        if (!kept_.is_kept() || error.state() != sqlstate::kConnectionFailure) {
            break_off();
            throw;
        }
        lost = error;
    } catch (...) {
        break_off();
        throw;
    }
    if (lost) {
        send_again(*lost);
    }
}

remote::Result Link::receive(std::int64_t deadline_ms) {
    std::optional<Error> failure;
    try {
        while (!steps_.empty()) {
            if (remote::Result result = take_result(deadline_ms)) {
                kept_.forget();
                return result;
            }
        }
    } catch (const Error& error) {
        failure = error;
    }
    // A node that has said why it goes, has been told to: not by chance.
    if (failure && failure->state() == sqlstate::kConnectionFailure && kept_.is_kept() && !error_) {
        send_again(*failure);
        return receive(deadline_ms);
    }
    if (failure && (failure->state() == sqlstate::kQueryCanceled ||
                    failure->state() == sqlstate::kDeadlockDetected)) {
        return receive_after_cancel(*failure);
    }
    if (failure) {
        fail(*failure);
    }
    finish_batch();
    return nullptr;
}

void Link::finish_batch() {
    stream_ = nullptr;
    kept_.forget();
    lone_write_ = false;
    connection_.forward_notices();
    if (error_) {
        throw_noted_error();
    }
    state_in_batch_ = false;
}

void Link::throw_noted_error() {
    Error error = *error_;
    error_.reset();
    state_.reset();
    throw Error(error);
}

// The link itself is broken, or the deadline is over.
void Link::fail(const Error& error) {
    if (error.state() != sqlstate::kConnectionFailure) {
        throw Error(error);
    }
    bool unknown = lone_write_;
    lost_block_ = in_block_;
    close();
    if (unknown) {
        throw_outcome_unknown(error.detail());
    }
    throw Error(error);
}

void Link::throw_outcome_unknown(const std::string& detail) {
    throw Error(sqlstate::kTransactionUnknown,
                "lost the answer of node \"" + connection_.node_name() + "\" while it committed")
        .detail(detail)
        .hint("Whether the transaction was committed is not known: read what it wrote.");
}

remote::Result Link::receive_after_cancel(const Error& cancel) {
    if (!lone_write_) {
        stream_ = nullptr;
        rest();
        throw Error(cancel);
    }
    HoldInterrupts hold;
    std::int64_t deadline = pg::now_ms() + kCancelTimeoutMs;
    bool answered = false;
    remote::Result result;
    try {
        forward_cancel(deadline);
        while (!result && !steps_.empty()) {
            result = take_result(deadline);
        }
        answered = true;
    } catch (const Error&) {
    }
    if (!answered) {
        close();
        throw_outcome_unknown("It was canceled.");
    }
    if (error_ && error_->state() == sqlstate::kQueryCanceled) {
        error_ = cancel;
    }
    if (!result) {
        finish_batch();
    }
    return result;
}

// A second connection, since libpq's own cancel waits for the server without a deadline.
void Link::forward_cancel(std::int64_t deadline_ms) {
    remote::Connection other;
    other.start(endpoint_of(require_herd(), node_));
    other.finish_start(deadline_ms);
    std::string sql = "SELECT pg_catalog.pg_cancel_backend(" +
                      std::to_string(::PQbackendPID(connection_.raw())) + ")";
    other.queue(sql.c_str());
    other.sync();
    while (true) {
        remote::Result result = other.next(deadline_ms);
        if (result && ::PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) {
            return;
        }
    }
}

void Link::rest() noexcept {
    if (!runs_statement()) {
        return;
    }
    try {
        HoldInterrupts hold;
        discard_steps();
        if (!read_away(pg::now_ms() + kReadAwayMs)) {
            std::int64_t deadline = pg::now_ms() + kCancelTimeoutMs;
            forward_cancel(deadline);
            if (!read_away(deadline)) {
                break_off();
            }
        }
        connection_.drop_notices();
    } catch (...) {
        // The node notices the closed socket, cancels what runs and rolls back.
        break_off();
    }
}

// Whether everything that was on the wire came before the deadline.
bool Link::read_away(std::int64_t deadline_ms) {
    try {
        while (!steps_.empty()) {
            take_result(deadline_ms);
            // Rows may come so fast that there is never a wait that could end.
            if (pg::now_ms() > deadline_ms && !steps_.empty()) {
                return false;
            }
        }
    } catch (const Error& error) {
        if (error.state() != sqlstate::kNodeUnavailable) {
            throw;
        }
        return false;
    }
    return true;
}

void Link::release() {
    if (stream_ != nullptr) {
        stream_->spool();
        stream_ = nullptr;
    }
}

void Link::abandon(const Stream* stream) noexcept {
    if (stream_ == stream && stream != nullptr) {
        discard_steps();
    }
}

bool Link::has_result_ready() {
    try {
        while (!steps_.empty() && connection_.ready()) {
            const Step& step = steps_.front();
            if (step.kind == StepKind::kStatement && !step.discarded) {
                return true;
            }
            take_result(pg::kNoDeadline);
        }
    } catch (const Error& error) {
        if (error.state() != sqlstate::kConnectionFailure || !kept_.is_kept()) {
            throw;
        }
        return true;  // receive() meets the loss again, and sends once more
    }
    return steps_.empty();
}

void Link::take_cleanup_answers() noexcept {
    try {
        while (!is_settled() &&
               (steps_.front().discarded || steps_.front().kind == StepKind::kSync) &&
               connection_.ready()) {
            take_result(pg::kNoDeadline);
        }
    } catch (...) {
        break_off();
    }
}

}  // namespace herd::transaction
