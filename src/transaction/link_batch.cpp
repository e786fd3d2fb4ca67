// What a batch is made of, and how its results are told apart.
#include <algorithm>

#include "pg/counters.hpp"
#include "remote/session_board.hpp"
#include "transaction/connection_settings.hpp"
#include "transaction/link.hpp"
#include "transaction/settings.hpp"

extern "C" {
#include "access/xact.h"
}

namespace herd::transaction {

namespace {

constexpr SqlState kInFailedTransaction{"25P02"};

// Under these numbers the nodes keep prepared what is sent over and over; no plan has them.
constexpr std::uint64_t kFirstWord = PreparedStatements::kFirstPinned;
constexpr std::uint64_t kCommitWord = kFirstWord;
constexpr std::uint64_t kBeginWord = kFirstWord + 1;  // and more, one for each kind of transaction

// A link's session begins transactions as read committed, writing ones (endpoint.cpp).
std::string begin_command() {
    if (XactIsoLevel <= XACT_READ_COMMITTED && !::XactReadOnly && !::XactDeferrable) {
        return "BEGIN";
    }
    std::string sql = "BEGIN ISOLATION LEVEL ";
    switch (XactIsoLevel) {
        case XACT_SERIALIZABLE:
            sql += "SERIALIZABLE";
            break;
        case XACT_REPEATABLE_READ:
            sql += "REPEATABLE READ";
            break;
        default:
            sql += "READ COMMITTED";
    }
    sql += ::XactReadOnly ? " READ ONLY" : " READ WRITE";
    if (::XactDeferrable) {
        sql += " DEFERRABLE";
    }
    return sql;
}

std::uint64_t begin_word() {
    return kBeginWord + static_cast<std::uint64_t>(XactIsoLevel) * 4 + (::XactReadOnly ? 2 : 0) +
           (::XactDeferrable ? 1 : 0);
}

}  // namespace

void Link::queue_control(const std::string& sql) {
    connection_.queue(sql.c_str());
    steps_.push_back({StepKind::kControl, 0, sql});
}

// A control command that the node keeps prepared: nothing of it is parsed or planned again.
void Link::queue_word(std::uint64_t word, const std::string& sql) {
    const std::string* name = prepared_statements_.use(word);
    if (name == nullptr) {
        Statement statement;
        statement.text = sql.c_str();
        statement.plan_id = word;
        name = &prepare_plan(statement);
        steps_.back().discarded = true;  // its answer is nobody's
    }
    connection_.queue_prepared(name->c_str(), {}, false);
    steps_.push_back({StepKind::kControl, 0, sql});
}

void Link::queue_commit() {
    queue_word(kCommitWord, "COMMIT");
}

void Link::queue_cleanup(const std::string& sql) {
    queue_control(sql);
    note_cleanup();
}

void Link::note_cleanup() {
    steps_.back().discarded = true;
    steps_.back().cleanup = true;
    ++cleanups_;
    ++all_cleanups_;
    show_state();
}

// For those who look for deadlocks.
void Link::show_state() const noexcept {
    remote::board_state(connection_.place(), in_block_, is_settled());
}

void Link::queue_sync(std::int64_t deadline_ms) {
    connection_.queue_sync();
    steps_.push_back({StepKind::kSync});
    start_step();
    connection_.flush(deadline_ms);
}

// BEGIN where the link has no block yet, and a savepoint for each level that it has not seen.
void Link::queue_block() {
    int wanted = ::GetCurrentTransactionNestLevel();
    if (!in_block_) {
        in_block_ = true;
        level_ = 1;
        begin_level_ = wanted;
        block_error_.reset();
        queue_word(begin_word(), begin_command());
        show_state();
    }
    if (!lazy_.empty()) {
        queue_control(std::exchange(lazy_, {}));
    }
    while (level_ < wanted) {
        ++level_;
        queue_control("SAVEPOINT herd_" + std::to_string(level_));
    }
}

void Link::queue_state(const SessionState& wanted, std::uint64_t fragment) {
    if (wanted != state_ && (!state_ || *wanted != *state_)) {
        connection_.queue(wanted->c_str());
        steps_.push_back({StepKind::kState, 0, *wanted});
        state_in_batch_ = true;
    }
    state_ = wanted;
    if (fragment != fragment_) {
        queue_control("SELECT herd.link_snapshot(" +
                      std::to_string(static_cast<std::int64_t>(fragment)) + ")");
        fragment_ = fragment;
    }
}

// What is too much on the node goes with this batch.
void Link::make_room() {
    auto most = static_cast<std::size_t>(max_prepared_per_node());
    for (const std::string& name : prepared_statements_.take_surplus(most)) {
        queue_control("DEALLOCATE " + name);
        steps_.back().kind = StepKind::kDeallocate;
        steps_.back().name = name;
    }
}

const std::string& Link::prepare_plan(const Statement& statement) {
    const std::string& name = prepared_statements_.add(statement.plan_id);
    connection_.queue_prepare(name.c_str(), statement.text, statement.parameters);
    steps_.push_back({StepKind::kPrepare, statement.plan_id, statement.text});
    steps_.back().name = name;
    return name;
}

void Link::queue_statement(const Statement& statement) {
    if (statement.plan_id == 0 || max_prepared_per_node() == 0) {
        connection_.queue(statement.text, statement.parameters, statement.binary);
    } else {
        const std::string* name = prepared_statements_.use(statement.plan_id);
        if (name == nullptr) {
            name = &prepare_plan(statement);
            make_room();
        } else {
            pg::count(pg::Counter::kPreparedUsed);
        }
        connection_.queue_prepared(name->c_str(), statement.parameters, statement.binary);
    }
    steps_.push_back({StepKind::kStatement, statement.plan_id, {}});
    steps_.back().few_rows = statement.few_rows;
}

// A batch could not be sent to its end, so nobody knows what the node makes of it.
void Link::break_off() noexcept {
    lost_block_ = in_block_;
    close();
}

bool Link::runs_statement() const {
    return std::any_of(steps_.begin(), steps_.end(),
                       [](const Step& step) { return step.kind == StepKind::kStatement; });
}

void Link::discard_steps() {
    kept_.forget();
    stream_ = nullptr;
    lone_write_ = false;
    error_.reset();
    if (!steps_.empty() && std::exchange(state_in_batch_, false)) {
        state_.reset();
    }
    for (Step& step : steps_) {
        step.discarded = true;
        // A word comes first in its batch, so that nothing of ours makes its PREPARE fail.
        if (step.kind == StepKind::kPrepare) {
            prepared_statements_.doubt(step.plan_id);
        }
    }
}

// libpq takes the wish for single rows only when a statement has become the current one and none of
// its results has been read. It costs libpq a result per row, and one more.
void Link::start_step() {
    if (!steps_.empty() && steps_.front().kind == StepKind::kStatement &&
        !steps_.front().few_rows) {
        connection_.set_single_row();
    }
}

void Link::end_step() {
    const Step& step = steps_.front();
    if (step.kind == StepKind::kPrepare) {
        prepared_statements_.note_answer(step.plan_id, step.name, !step.failed);
    } else if (step.kind == StepKind::kDeallocate && step.failed) {
        prepared_statements_.give_back(step.name);
    }
    if (step.cleanup) {
        --cleanups_;
        --all_cleanups_;
        show_state();
    }
    steps_.pop_front();
    start_step();
}

remote::Result Link::take_result(std::int64_t deadline_ms) {
    remote::Result result = connection_.next(deadline_ms);
    Step& step = steps_.front();
    if (!result) {
        // At a sync, null follows the error of a commit that failed, and the sync is yet to come.
        if (step.kind != StepKind::kSync) {
            end_step();
        }
        return nullptr;
    }
    switch (::PQresultStatus(result.get())) {
        case PGRES_PIPELINE_SYNC:
            end_step();
            break;
        case PGRES_FATAL_ERROR:
        case PGRES_BAD_RESPONSE:
            note_error(result.get(), step);
            [[fallthrough]];
        case PGRES_PIPELINE_ABORTED:
            step.failed = true;
            break;
        default:
            if (step.kind == StepKind::kStatement && !step.discarded) {
                return result;
            }
            check_answer(result.get(), step);
    }
    return nullptr;
}

// Acknowledgements of what was not waited for, as far as they are here.
void Link::take_what_has_come() {
    try {
        while (!steps_.empty() && connection_.ready()) {
            take_result(pg::kNoDeadline);
        }
    } catch (const Error&) {
        close();
    }
    if (steps_.empty()) {
        connection_.drop_notices();
    }
}

void Link::note_error(const PGresult* result, const Step& step) {
    if (in_block_ || state_in_batch_) {
        state_.reset();  // the node takes back what the batch or the block has set
    }
    std::optional<Error> noted;
    try {
        connection_.throw_error(result, step.sql.empty() ? statement_text_ : step.sql);
    } catch (const Error& error) {
        noted = error;
    }
    if (in_block_ && !block_error_) {
        block_error_ = noted;
    }
    if (!step.discarded && !error_) {
        // "The transaction is aborted" hides why; the reason may be a statement whose rows nobody
        // read to the end.
        bool echo = noted->state() == kInFailedTransaction && block_error_;
        error_ = echo ? block_error_ : noted;
    }
}

void Link::check_answer(PGresult* result, const Step& step) {
    if (step.expected_answer == nullptr || step.discarded || error_ ||
        std::string(::PQcmdStatus(result)) == step.expected_answer) {
        return;
    }
    error_ = block_error_ ? *block_error_
                          : Error(kInFailedTransaction, "node \"" + connection_.node_name() +
                                                            "\" has rolled the transaction back");
}

}  // namespace herd::transaction
