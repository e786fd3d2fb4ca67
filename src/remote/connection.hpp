// One connection to another server: libpq, never blocking, in pipeline mode.
//
// Statements are queued and sent together; one sync point ends each batch. Waiting services
// interrupts, so a cancel arrives as herd::Error. A connection that lost its protocol state is
// broken for good: close it and open another.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "pg/waiter.hpp"

extern "C" {
#include "libpq-fe.h"
}

namespace herd::remote {

struct Endpoint {
    NodeId node;
    std::string node_name;
    std::string conninfo;
};

struct ResultDeleter {
    void operator()(PGresult* result) const { ::PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ResultDeleter>;

// Parameters of a statement; the arrays are borrowed for the call. formats: 0 text, 1 binary.
struct Parameters {
    int count = 0;
    const ::Oid* types = nullptr;
    const char* const* values = nullptr;
    const int* lengths = nullptr;
    const int* formats = nullptr;
};

// What a server said besides results; level is NOTICE, WARNING or INFO.
struct Notice {
    int level = 0;
    SqlState state;
    std::string message;
    std::string detail;
    std::string hint;
};

class Connection {
public:
    Connection() = default;
    ~Connection() { close(); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] NodeId node() const { return endpoint_.node; }
    [[nodiscard]] const std::string& node_name() const { return endpoint_.node_name; }

    // Opening, in two halves so that several connections open together.
    // Errors: kCannotConnect, with libpq's message.
    void start(Endpoint endpoint);
    void finish_start(std::int64_t deadline_ms);
    // One non-blocking step, for event loops: PGRES_POLLING_*.
    PostgresPollingStatusType poll();
    void close() noexcept;
    // Open, and nothing has gone wrong with it. Costs no system call.
    [[nodiscard]] bool usable() const;
    // Whether the server has closed an idle connection: looks at the socket, without waiting.
    [[nodiscard]] bool closed_by_server();
    [[nodiscard]] int socket() const { return ::PQsocket(connection_); }
    [[nodiscard]] PGconn* raw() const { return connection_; }
    // On the board of sessions; -1: none.
    [[nodiscard]] int place() const { return place_; }

    // Sending. Nothing is awaited, unless the socket's buffer is full.
    void queue(const char* sql, const Parameters& parameters = {}, bool binary_results = false);
    void queue_prepare(const char* name, const char* sql, const Parameters& parameters);
    void queue_prepared(const char* name, const Parameters& parameters, bool binary_results);
    // The sync point that ends a batch: queued like a statement, then sent with all before it.
    void queue_sync();
    void flush(std::int64_t deadline_ms = pg::kNoDeadline);
    // For event loops: false while something is left to send when the socket takes more.
    bool try_flush();
    void sync() {
        queue_sync();
        flush();
    }

    // The next result, waiting for it; null at the end of each queued statement. A sync point is
    // a result of its own (PGRES_PIPELINE_SYNC). Throws kConnectionFailure when the link is lost,
    // kNodeUnavailable at the deadline. While interrupts are held a wait with a deadline also ends
    // when this session is asked to cancel or to go; one without a deadline ends by 40P01 when it
    // is part of a deadlock (session_board.hpp).
    Result next(std::int64_t deadline_ms = pg::kNoDeadline);
    // Whether next() would return at once; reads what has arrived.
    bool ready();
    // Rows one by one instead of the whole result: for the statement whose results come next.
    void set_single_row() { ::PQsetSingleRowMode(connection_); }

    // COPY needs the simple protocol: leave the pipeline (no statement may be under way) and
    // return.
    void leave_pipeline();
    void enter_pipeline();
    void send_simple(const char* sql);
    void put_copy_data(const char* data, std::size_t size);
    void end_copy(const char* error_message, std::int64_t deadline_ms = pg::kNoDeadline);
    // Whether the server has said something besides notices while it was sent data: an error, most
    // likely. Looks at the socket, without waiting.
    [[nodiscard]] bool copy_answered();

    // A failed result as an exception with the node's name and the statement in its context.
    [[noreturn]] void throw_error(const PGresult* result, const std::string& sql) const;
    [[noreturn]] void throw_lost(const std::string& what);

    // What the server said besides results (NOTICE, WARNING), passed on to the client.
    void forward_notices();
    void drop_notices() noexcept { notices_.clear(); }

private:
    [[nodiscard]] bool has_input() const;
    void wait(int events, std::int64_t deadline_ms);

    Endpoint endpoint_;
    PGconn* connection_ = nullptr;
    std::unique_ptr<pg::SocketWaiter> waiter_;
    std::vector<Notice> notices_;
    int place_ = -1;
    bool external_fd_ = false;
    bool broken_ = false;
};

}  // namespace herd::remote
