// A link's connection: how it comes about, when it is given up, and how it ends.
#include "pg/failpoint.hpp"
#include "transaction/connection_settings.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/link.hpp"
#include "transaction/seats.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "access/xact.h"
}

namespace herd::transaction {

bool Link::needs_connection() {
    // A stream's rows are its own: send() lets it take them first.
    if (in_block_ || lost_block_ || stream_ != nullptr) {
        return false;
    }
    if (connection_.usable() && owed_.empty()) {
        take_what_has_come();
    }
    looked_at_ = connection_.usable() && !(steps_.empty() && connection_.closed_by_server());
    return !looked_at_;
}

bool Link::take_seat() {
    // Who holds locks that others may wait for, here or on nodes, must not wait for these others.
    bool at_once = TransactionIdIsValid(::GetTopTransactionIdIfAny()) || works_on_nodes();
    const catalog::NodeEntry* node = require_herd().node(node_);
    return transaction::take_seat(node_, node == nullptr ? std::string() : node->name, at_once);
}

void Link::start_connecting() {
    disconnect();
    take_seat();
    connection_.start(endpoint_of(require_herd(), node_));
}

void Link::finish_connecting() {
    try {
        connection_.finish_start(pg::now_ms() + connection_timeout());
    } catch (...) {
        close();
        throw;
    }
}

void Link::ensure_usable() {
    idle_since_ = 0;
    show_work(true);
    if (lost_block_) {
        throw Error(sqlstate::kConnectionFailure, "the connection to node \"" +
                                                      connection_.node_name() +
                                                      "\" was lost in this transaction")
            .hint("Roll back and run the transaction again.");
    }
    if (in_block_) {
        if (!connection_.usable()) {
            lost_block_ = true;
            connection_.throw_lost("lost the connection to");
        }
        return;
    }
    if (owed_.empty() && runs_statement()) {
        rest();
    }
    if (!std::exchange(looked_at_, false) && needs_connection()) {
        start_connecting();
        finish_connecting();
    }
    looked_at_ = false;
    settle();
}

// Finishes the prepared transaction that an earlier commit had to leave, so that this session
// reads its own writes.
void Link::settle() {
    constexpr int kTries = 500;  // of 10 ms: as long as the supervisor works on it
    for (int attempt = 1; !owed_.empty(); ++attempt) {
        HERD_FAILPOINT("link.before_settle");
        try {
            if (!connection_.usable()) {
                start_connecting();
                finish_connecting();
            }
            if (steps_.empty()) {
                queue_control(owed_);
                queue_sync();
            }
            await_control(pg::kNoDeadline);
            end_debt();
        } catch (const Error& error) {
            bool busy = error.state() == sqlstate::kObjectNotInState;
            bool lost = error.state() == sqlstate::kConnectionFailure && attempt == 1;
            if (error.state() == sqlstate::kUndefinedObject) {
                end_debt();  // the supervisor was faster
            } else if ((!busy && !lost) || attempt == kTries) {
                throw;
            }
        }
        if (!owed_.empty()) {
            pg::nap(10);
        }
    }
}

void Link::take_leave() noexcept {
    try {
        if (connection_.usable() && !copying_) {
            take_what_has_come();
        }
    } catch (...) {
    }
    close();
}

bool Link::is_idle() const {
    bool settling = !owed_.empty() && !steps_.empty();
    return is_open() && !in_block_ && !lost_block_ && stream_ == nullptr && !copying_ &&
           !settling && !runs_statement();
}

void Link::give_up() noexcept {
    if (is_idle()) {
        take_leave();
    }
}

std::int64_t Link::idle_since(std::int64_t now) {
    idle_since_ = idle_since_ == 0 ? now : idle_since_;
    return idle_since_;
}

void Link::close() noexcept {
    disconnect();
    kept_.forget();
    give_seat_back(node_);
}

void Link::disconnect() noexcept {
    connection_.close();
    steps_.clear();
    all_cleanups_ -= std::exchange(cleanups_, 0);
    error_.reset();
    stream_ = nullptr;
    prepared_statements_.clear();
    state_.reset();
    fragment_ = 0;
    lone_write_ = false;
    copying_ = false;
    state_in_batch_ = false;
}

}  // namespace herd::transaction
