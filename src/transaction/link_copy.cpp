// What a link does outside of the pipeline: COPY FROM STDIN, which libpq can't do in it, and
// scripts of several statements.
#include "transaction/link.hpp"
#include "transaction/settings.hpp"

namespace herd::transaction {

namespace {
constexpr std::int64_t kCancelTimeoutMs = 300;
}

void Link::run_script(const std::string& sql) {
    release();
    ensure_usable();
    discard_steps();
    try {
        queue_block();
        wrote_ = true;
        statement_text_.clear();
        queue_sync();
    } catch (...) {
        break_off();
        throw;
    }
    await_control(pg::kNoDeadline);
    try {
        connection_.leave_pipeline();
        connection_.send_simple(sql.c_str());
        while (remote::Result result = connection_.next()) {
            if (::PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
                note_error(result.get(), Step{StepKind::kStatement});
            }
        }
        connection_.enter_pipeline();
    } catch (...) {
        // Canceled or lost: the node rolls back what it has done so far.
        lost_block_ = true;
        close();
        throw;
    }
    connection_.forward_notices();
    state_.reset();
    if (error_) {
        throw_noted_error();
    }
}

void Link::begin_copy(const std::string& sql, Stream* owner) {
    release();
    ensure_usable();
    discard_steps();
    try {
        queue_block();
        queue_state(session_state(), 0);
        wrote_ = true;
        touched_ = true;
        statement_text_ = sql;
        queue_sync();
    } catch (...) {
        break_off();
        throw;
    }
    await_control(pg::kNoDeadline);
    copying_ = true;
    connection_.leave_pipeline();
    connection_.send_simple(sql.c_str());
    remote::Result result = connection_.next();
    if (::PQresultStatus(result.get()) != PGRES_COPY_IN) {
        note_error(result.get(), Step{StepKind::kStatement});
        await_copy();
    }
    stream_ = owner;
}

void Link::send_copy_end(const char* reason, std::int64_t deadline_ms) {
    connection_.end_copy(reason, deadline_ms);
}

std::uint64_t Link::await_copy(std::int64_t deadline_ms) {
    std::uint64_t rows = 0;
    while (remote::Result result = connection_.next(deadline_ms)) {
        if (::PQresultStatus(result.get()) == PGRES_COMMAND_OK) {
            rows = std::strtoull(::PQcmdTuples(result.get()), nullptr, 10);
        } else {
            note_error(result.get(), Step{StepKind::kStatement});
        }
    }
    connection_.enter_pipeline();
    copying_ = false;
    stream_ = nullptr;
    connection_.forward_notices();
    if (error_) {
        throw_noted_error();
    }
    state_in_batch_ = false;
    return rows;
}

void Link::cancel_copy() noexcept {
    if (!copying_) {
        return;
    }
    stream_ = nullptr;
    try {
        std::int64_t deadline = pg::now_ms() + kCancelTimeoutMs;
        connection_.end_copy("the coordinator has canceled this COPY", deadline);
        while (connection_.next(deadline)) {
        }
        connection_.enter_pipeline();
        copying_ = false;
        connection_.drop_notices();
    } catch (...) {
        lost_block_ = in_block_;
        close();
    }
}

}  // namespace herd::transaction
