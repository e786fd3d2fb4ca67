// A session's connection to one node, and what the node's side of the transaction looks like.
//
// A statement is sent together with whatever must precede it (BEGIN, SAVEPOINT, role, settings,
// PREPARE), in one round trip. Nothing that only cleans up (ROLLBACK, COMMIT of a reader) is waited
// for: its answers are read before the next statement's.
//
// link_connect.cpp: connecting and closing; link.cpp: sending and receiving; link_batch.cpp: what a
// batch is made of; link_end.cpp: the end of blocks, savepoints and prepared transactions;
// link_copy.cpp: COPY; kept_statement.cpp: sending once more.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "remote/connection.hpp"
#include "transaction/kept_statement.hpp"
#include "transaction/prepared_statements.hpp"

namespace herd::transaction {

// While alive, a wait with a deadline ends early instead of throwing a cancel.
class HoldInterrupts {
public:
    HoldInterrupts() { HOLD_INTERRUPTS(); }
    ~HoldInterrupts() { RESUME_INTERRUPTS(); }
    HoldInterrupts(const HoldInterrupts&) = delete;
    HoldInterrupts& operator=(const HoldInterrupts&) = delete;
};

// Whoever reads a statement's rows from a link. Asked to take them all when another statement
// needs the link.
class Stream {
public:
    virtual void spool() = 0;

protected:
    ~Stream() = default;
};

struct Statement {
    const char* text = nullptr;
    std::uint64_t plan_id = 0;  // not 0: prepared on the node under this number, and used again
    remote::Parameters parameters;
    bool binary = false;  // results in binary
    bool writes = false;
    bool lone = false;  // may run without BEGIN when no block is open on the link
    // Running it twice does no more than once: neither changes, locks, nor calls what may.
    bool repeatable = false;
    bool few_rows = false;  // which may come all at once, as one result
    // Not 0: all statements with this number see one snapshot. 0: a snapshot of its own. Negative,
    // in two's complement: part of the statement with that number, with a snapshot of its own.
    std::uint64_t fragment = 0;
};

class Link {
public:
    explicit Link(NodeId node) : node_(node) {}
    ~Link() { close(); }
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    [[nodiscard]] NodeId node() const { return node_; }
    [[nodiscard]] remote::Connection& connection() { return connection_; }

    // Connecting, in two halves, so that several links open at once; send() does it at need.
    [[nodiscard]] bool needs_connection();
    // Takes a seat (seats.hpp), which start_connecting() does too. Returns whether it had to wait;
    // meanwhile this session may have given up other links.
    bool take_seat();
    void start_connecting();
    void finish_connecting();

    // Whatever send() would wait for first: a stream's rows, a connection, an earlier commit.
    void get_ready() {
        release();
        ensure_usable();
    }
    // Sends a statement without waiting for its result. The stream, if any, owns the results until
    // receive() has returned null. Results of an earlier statement that nobody took are thrown
    // away. What is lone and repeatable is sent once more, over a new connection, when this one is
    // lost before the first result.
    void send(const Statement& statement, Stream* stream);
    // The statement's next result: rows one by one, then the completed command, then null; few rows
    // come with the completed command.
    // Throws the node's error, after the link has been brought to rest. A cancel is passed on to
    // the node; a write that was the whole transaction (lone) tells by its own answer whether the
    // cancel came in time. Errors: kTransactionUnknown when that answer is lost.
    remote::Result receive(std::int64_t deadline_ms = pg::kNoDeadline);
    // Takes the link away from a stream that has not finished.
    void release();
    // The stream goes away; what is still on the wire is thrown away later.
    void abandon(const Stream* stream) noexcept;
    // Whether receive() would find something of the statement at once.
    [[nodiscard]] bool has_result_ready();

    // Several statements in one text, as part of the transaction, by the simple protocol and
    // without role and settings: for a node that joins, which does not know them yet.
    void run_script(const std::string& sql);

    // COPY FROM STDIN, as part of the transaction: begin, put data through connection(), finish.
    // The owner, if any, is asked to spool when another statement needs the link: it ends its COPY.
    void begin_copy(const std::string& sql, Stream* owner = nullptr);
    // In two halves, so that several nodes finish at once. With a reason the node fails its COPY.
    void send_copy_end(const char* reason = nullptr, std::int64_t deadline_ms = pg::kNoDeadline);
    // Returns the number of rows; throws the node's error.
    std::uint64_t await_copy(std::int64_t deadline_ms = pg::kNoDeadline);
    std::uint64_t finish_copy() {
        send_copy_end();
        return await_copy();
    }
    void cancel_copy() noexcept;

    // --- for the session, at the end of (sub)transactions ---
    [[nodiscard]] bool in_block() const { return in_block_; }
    [[nodiscard]] bool wrote() const { return wrote_; }
    // Whether the last statement here was a fragment with that number, so that its snapshot is
    // kept.
    [[nodiscard]] bool keeps_snapshot_of(std::uint64_t fragment) const {
        return fragment_ == fragment;
    }
    // Whether this transaction has sent the node any statement, in a block or not.
    [[nodiscard]] bool touched() const { return touched_; }
    void forget_touched() noexcept {
        touched_ = false;
        looked_at_ = false;
    }
    // COMMIT and PREPARE TRANSACTION, whose answer must be that very word: a node whose block has
    // failed answers ROLLBACK, and that is no error to it. Then await_control.
    void send_control(const std::string& sql, const char* expected_answer);
    void await_control(std::int64_t deadline_ms);
    // COMMIT of the only node that wrote, with its answer awaited. Errors: kTransactionUnknown when
    // the answer is lost.
    void commit_block();
    void commit_reader() noexcept;
    void end_of_block() noexcept;
    void abort_block() noexcept;
    void abort_subtransaction(int level) noexcept;
    void commit_subtransaction(int level) noexcept;
    // COMMIT PREPARED or ROLLBACK PREPARED: remembered, then sent where the connection is sound.
    // What is not acknowledged is settled before this session uses the link again; the supervisor
    // does it too.
    void owe(const std::string& command);
    void send_owed() noexcept;
    // Whether the acknowledgement came before the deadline.
    bool await_owed(std::int64_t deadline_ms) noexcept;
    // The commit that is owed is of that transaction of this server, and the gate knows it as in
    // doubt until it is acknowledged.
    void leave_in_doubt(std::uint64_t xid) noexcept;
    void set_prepared(bool prepared) { prepared_ = prepared; }
    [[nodiscard]] bool prepared() const { return prepared_; }
    // Answers to what cleaned up are on their way; take_cleanup_answers() reads those that have
    // come, so that it is known what the node still holds.
    [[nodiscard]] bool is_settled() const { return cleanups_ == 0; }
    // The same of all links of this session.
    [[nodiscard]] static bool all_settled() { return all_cleanups_ == 0; }
    void take_cleanup_answers() noexcept;
    // Something is still on the wire.
    [[nodiscard]] bool is_busy() const { return !steps_.empty() || stream_ != nullptr; }
    // Somebody reads rows from it.
    [[nodiscard]] bool is_read() const { return stream_ != nullptr; }
    // A statement whose rows nobody wants any more still runs, or its rows are on their way. Brings
    // the node to rest: reads the rest, cancels what takes longer, closes the connection if even
    // that does not help. The node's block fails when something was canceled.
    void rest() noexcept;
    void close() noexcept;
    // Open, at rest, and outside of a transaction. What is owed needs no connection of its own.
    [[nodiscard]] bool is_open() const { return connection_.socket() >= 0; }
    [[nodiscard]] bool is_idle() const;
    // Says goodbye if it is idle; the next statement opens it again.
    void give_up() noexcept;
    // Since when it has not been used, seen at the end of a transaction.
    std::int64_t idle_since(std::int64_t now);
    // At the session's end: reads what is there, and says goodbye.
    void take_leave() noexcept;

private:
    // After a rollback to a savepoint, which takes back nothing of what the node knows of it.
    static constexpr std::uint64_t kUnknownFragment = ~std::uint64_t{0};

    enum class StepKind { kControl, kState, kPrepare, kDeallocate, kStatement, kSync };
    struct Step {
        StepKind kind;
        std::uint64_t plan_id = 0;
        std::string sql;
        const char* expected_answer = nullptr;
        std::string name;        // of kPrepare and kDeallocate: which prepared statement
        bool failed = false;     // the node has said so, or has left it out
        bool discarded = false;  // nobody waits for its result
        bool cleanup = false;    // takes locks away on the node
        bool few_rows = false;   // of a statement: they come as one result
    };

    void ensure_usable();
    void settle();
    void end_debt() noexcept;
    void queue_control(const std::string& sql);
    void queue_word(std::uint64_t word, const std::string& sql);
    void queue_commit();
    void queue_cleanup(const std::string& sql);
    void note_cleanup();
    void show_state() const noexcept;
    void queue_state(const SessionState& wanted, std::uint64_t fragment);
    void queue_block();
    void queue_statement(const Statement& statement);
    void queue_sync(std::int64_t deadline_ms = pg::kNoDeadline);
    void send_again(const Error& lost);
    const std::string& prepare_plan(const Statement& statement);
    void make_room();
    void break_off() noexcept;
    void disconnect() noexcept;
    // From now on nobody wants the results of what has been sent.
    void discard_steps();
    [[nodiscard]] bool runs_statement() const;
    // Takes one result off the wire. Not null if it is one of the statement's own.
    remote::Result take_result(std::int64_t deadline_ms);
    void take_what_has_come();
    bool read_away(std::int64_t deadline_ms);
    void start_step();
    void end_step();
    void note_error(const PGresult* result, const Step& step);
    void check_answer(PGresult* result, const Step& step);
    [[noreturn]] void fail(const Error& error);
    void cancel_commit(const Error& cancel);
    [[noreturn]] void throw_outcome_unknown(const std::string& detail);
    void finish_batch();
    [[noreturn]] void throw_noted_error();
    remote::Result receive_after_cancel(const Error& cancel);
    void forward_cancel(std::int64_t deadline_ms);

    NodeId node_;
    remote::Connection connection_;
    std::deque<Step> steps_;
    std::optional<Error> error_;  // of the statement that somebody waits for
    std::optional<Error>
        block_error_;  // the first one in this block: why the node refuses the rest
    Stream* stream_ = nullptr;
    PreparedStatements prepared_statements_;
    std::string statement_text_;
    SessionState state_;          // role and settings that the node has; null when unknown
    std::string owed_;            // COMMIT PREPARED or ROLLBACK PREPARED without an answer
    std::string lazy_;            // RELEASE SAVEPOINT command that waits for company
    std::uint64_t fragment_ = 0;  // that the node takes part in
    inline static int all_cleanups_ = 0;
    int cleanups_ = 0;             // on the wire
    int level_ = 1;                // nesting level that the node has reached
    int begin_level_ = 1;          // nesting level in which the block began
    bool state_in_batch_ = false;  // the node takes state_ back if this batch fails
    std::uint64_t in_doubt_ = 0;   // the transaction whose COMMIT PREPARED is owed too long
    bool looked_at_ = false;       // in this transaction, and not used since: it shows no goodbye
    bool in_block_ = false;
    bool wrote_ = false;
    bool touched_ = false;
    bool lone_write_ = false;  // what runs now is the whole transaction, and the node commits it
    bool copying_ = false;
    bool prepared_ = false;
    KeptStatement kept_;           // what is under way, if it may be sent again
    std::int64_t idle_since_ = 0;  // 0: used in this transaction
    bool lost_block_ = false;      // the node has dropped this transaction's work
};

}  // namespace herd::transaction
