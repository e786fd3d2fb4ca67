// What a batch is made of, and how its results are told apart.
#include <algorithm>

#include "remote/session_board.hpp"
#include "transaction/link.hpp"
#include "transaction/settings.hpp"

extern "C" {
#include "access/xact.h"
}

namespace herd::transaction {

namespace {

// Prepared statements kept on a node per session; the oldest goes when there are more.
constexpr std::size_t kMostPrepared = 500;

constexpr SqlState kInFailedTransaction{"25P02"};

// Under these numbers the nodes keep prepared what is sent over and over; no plan has them.
constexpr std::uint64_t kFirstWord = std::uint64_t{1} << 63U;
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
    auto known = prepared_plans_.find(word);
    if (known == prepared_plans_.end()) {
        Statement statement;
        statement.text = sql.c_str();
        statement.plan_id = word;
        prepare_plan(statement);
        steps_.back().discarded = true;  // its answer is nobody's
        known = prepared_plans_.find(word);
    }
    connection_.queue_prepared(known->second.c_str(), {}, false);
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

// Names are never used twice, so that a plan whose PREPARE got lost just gets another.
void Link::prepare_plan(const Statement& statement) {
    if (statement.plan_id < kFirstWord && prepared_order_.size() >= kMostPrepared) {
        auto [plan_id, name] = std::move(prepared_order_.front());
        prepared_order_.pop_front();
        prepared_plans_.erase(plan_id);
        queue_control("DEALLOCATE " + name);
    }
    std::string name = "herd_" + std::to_string(++names_);
    connection_.queue_prepare(name.c_str(), statement.text, statement.parameters);
    steps_.push_back({StepKind::kPrepare, statement.plan_id, statement.text});
    prepared_plans_[statement.plan_id] = std::move(name);
}

void Link::queue_statement(const Statement& statement) {
    if (statement.plan_id == 0) {
        connection_.queue(statement.text, statement.parameters, statement.binary);
    } else {
        if (prepared_plans_.count(statement.plan_id) == 0) {
            prepare_plan(statement);
        }
        connection_.queue_prepared(prepared_plans_[statement.plan_id].c_str(), statement.parameters,
                                   statement.binary);
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
        if (step.kind == StepKind::kPrepare && step.plan_id < kFirstWord) {
            prepared_plans_.erase(step.plan_id);
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
    if (step.kind == StepKind::kPrepare && !step.discarded) {
        auto plan = prepared_plans_.find(step.plan_id);
        if (plan != prepared_plans_.end() && step.plan_id < kFirstWord) {
            prepared_order_.emplace_back(plan->first, plan->second);
        }
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
    const Step& step = steps_.front();
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
            if (step.kind == StepKind::kPrepare) {
                prepared_plans_.erase(step.plan_id);
            }
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
