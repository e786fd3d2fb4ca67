#include "copy/target.hpp"

#include "pg/counters.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace herd::copy {

namespace {

// How long a node that must give up may take before its connection is closed.
constexpr std::int64_t kGiveUpMs = 2000;
constexpr const char* kGaveUp = "pg_herd: the COPY failed on another server";

}  // namespace

void Batch::restart() {
    lines.clear();
    own_line_ = 0;
    first_ = true;
}

Failure mapped_failure(const Error& error, const std::string& relation, const LineMap& lines) {
    MappedContext context = map_context(error.context(), relation, lines);
    Failure failure(error, context.line.value_or(kUnknownLine));
    failure.context(context.text);
    return failure;
}

NodeTarget::~NodeTarget() {
    if (state_ != State::kIdle) {
        link().cancel_copy();
    }
}

void NodeTarget::begin() {
    if (!copy_.encoding.empty()) {
        transaction::run(node_, "SET LOCAL client_encoding TO " + copy_.encoding);
    }
    link().begin_copy(copy_.statement, this);
    state_ = State::kOpen;
    batch.bytes.insert(0, copy_.header);
}

void NodeTarget::flush() {
    if (batch.bytes.empty()) {
        return;
    }
    if (state_ == State::kIdle) {
        begin();
    }
    remote::Connection& connection = link().connection();
    connection.put_copy_data(batch.bytes.data(), batch.bytes.size());
    batch.bytes.clear();
    if (connection.copy_answered()) {
        spool();
    }
}

void NodeTarget::send_end() {
    flush();
    if (state_ == State::kOpen) {
        remote::Connection& connection = link().connection();
        connection.put_copy_data(copy_.trailer.data(), copy_.trailer.size());
        link().send_copy_end();
        state_ = State::kEnding;
    }
}

void NodeTarget::await_end() {
    if (state_ != State::kEnding) {
        return;
    }
    state_ = State::kIdle;
    try {
        std::uint64_t rows = link().await_copy();
        pg::count(pg::Counter::kRowsCopied, rows);
        rows_ += rows;
    } catch (const Error& error) {
        throw mapped_failure(error, copy_.relation, batch.lines);
    }
    if (!copy_.encoding.empty()) {
        transaction::run(
            node_, std::string("SET LOCAL client_encoding TO ") + ::GetDatabaseEncodingName());
    }
    batch.restart();
}

void NodeTarget::spool() {
    send_end();
    await_end();
}

std::optional<Failure> NodeTarget::give_up(bool judge) noexcept {
    try {
        if (judge) {
            flush();
        }
        if (state_ == State::kIdle) {
            return {};
        }
        std::int64_t deadline = pg::now_ms() + kGiveUpMs;
        if (state_ == State::kOpen) {
            link().send_copy_end(kGaveUp, deadline);
        }
        state_ = State::kIdle;
        link().await_copy(deadline);
        return {};
    } catch (const Failure& failure) {
        return failure;
    } catch (const Error& error) {
        state_ = State::kIdle;
        if (error.message().find(kGaveUp) != std::string::npos) {
            return {};
        }
        // Not the node's answer, but a lost connection, the deadline or a cancel.
        bool unanswered = error.state() == sqlstate::kConnectionFailure ||
                          error.state() == sqlstate::kNodeUnavailable ||
                          error.state() == sqlstate::kQueryCanceled;
        if (!unanswered) {
            return mapped_failure(error, copy_.relation, batch.lines);
        }
    } catch (...) {
        state_ = State::kIdle;
    }
    link().cancel_copy();
    return {};
}

}  // namespace herd::copy
