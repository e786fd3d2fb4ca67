#include "remote/connection.hpp"

#include <poll.h>

#include <utility>

#include "pg/counters.hpp"
#include "remote/session_board.hpp"

extern "C" {
#include "storage/fd.h"
}

namespace herd::remote {

namespace {

std::string field(const PGresult* result, int code) {
    const char* text = ::PQresultErrorField(result, code);
    return text == nullptr ? std::string() : std::string(text);
}

// libpq calls this from the middle of its C code: store, never throw.
void store_notice(void* argument, const PGresult* result) noexcept {
    try {
        auto* notices = static_cast<std::vector<Notice>*>(argument);
        constexpr std::size_t kMostNotices = 1000;
        if (notices->size() < kMostNotices) {
            std::string severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
            std::string state = field(result, PG_DIAG_SQLSTATE);
            notices->push_back(
                {severity == "WARNING" ? WARNING
                 : severity == "INFO"  ? INFO
                                       : NOTICE,
                 SqlState(std::string_view(state)), field(result, PG_DIAG_MESSAGE_PRIMARY),
                 field(result, PG_DIAG_MESSAGE_DETAIL), field(result, PG_DIAG_MESSAGE_HINT)});
        }
    } catch (...) {
    }
}

std::string trimmed(const char* message) {
    std::string text = message == nullptr ? "" : message;
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.pop_back();
    }
    return text;
}

}  // namespace

void Connection::start(Endpoint endpoint) {
    close();
    endpoint_ = std::move(endpoint);
    broken_ = false;
    notices_.clear();
    external_fd_ = pg::call([] { return ::AcquireExternalFD(); });
    if (!external_fd_) {
        throw Error(sqlstate::kCannotConnect,
                    "could not connect to node \"" + endpoint_.node_name + "\"")
            .detail("There are too many open files on this server.")
            .hint("Raise max_files_per_process, or use fewer sessions.");
    }
    connection_ = ::PQconnectStart(endpoint_.conninfo.c_str());
    pg::count(pg::Counter::kConnections);
    if (connection_ == nullptr || ::PQstatus(connection_) == CONNECTION_BAD) {
        throw_lost("could not connect to");
    }
    ::PQsetNoticeReceiver(connection_, store_notice, &notices_);
    waiter_ = std::make_unique<pg::SocketWaiter>();
}

void Connection::finish_start(std::int64_t deadline_ms) {
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    while (status != PGRES_POLLING_OK) {
        if (deadline_ms != pg::kNoDeadline && pg::now_ms() >= deadline_ms) {
            throw Error(sqlstate::kCannotConnect,
                        "could not connect to node \"" + endpoint_.node_name + "\": timeout")
                .hint("SELECT * FROM herd.check() shows the health of every node.");
        }
        int events = status == PGRES_POLLING_READING ? WL_SOCKET_READABLE : WL_SOCKET_WRITEABLE;
        if (waiter_->wait(::PQsocket(connection_), events, deadline_ms) == 0) {
            continue;  // libpq takes a call for a sign that the socket is ready
        }
        status = poll();
        if (status == PGRES_POLLING_FAILED) {
            throw_lost("could not connect to");
        }
        // libpq goes on to its next address with a new socket, often under the same number.
        waiter_ = std::make_unique<pg::SocketWaiter>();
    }
}

PostgresPollingStatusType Connection::poll() {
    PostgresPollingStatusType status = ::PQconnectPoll(connection_);
    if (status == PGRES_POLLING_OK) {
        if (::PQsetnonblocking(connection_, 1) != 0 || ::PQenterPipelineMode(connection_) == 0) {
            return PGRES_POLLING_FAILED;
        }
        if (!waiter_) {
            waiter_ = std::make_unique<pg::SocketWaiter>();
        }
        place_ = board_enter(endpoint_.node, ::PQbackendPID(connection_));
    }
    return status;
}

void Connection::close() noexcept {
    waiter_.reset();
    board_leave(std::exchange(place_, -1));
    if (connection_ != nullptr) {
        ::PQfinish(connection_);
        connection_ = nullptr;
    }
    if (external_fd_) {
        ::ReleaseExternalFD();
        external_fd_ = false;
    }
}

bool Connection::usable() const {
    return connection_ != nullptr && !broken_ && ::PQstatus(connection_) == CONNECTION_OK;
}

bool Connection::has_input() const {
    struct pollfd descriptor = {::PQsocket(connection_), POLLIN, 0};
    return ::poll(&descriptor, 1, 0) > 0;
}

bool Connection::closed_by_server() {
    if (!usable()) {
        return true;
    }
    // An idle server says nothing but goodbye (or a notice). Its last words and the end of the
    // stream take one read each.
    while (has_input()) {
        if (::PQconsumeInput(connection_) == 0 || ::PQstatus(connection_) != CONNECTION_OK) {
            return true;
        }
    }
    return false;
}

void Connection::queue(const char* sql, const Parameters& p, bool binary_results) {
    if (::PQsendQueryParams(connection_, sql, p.count, p.types, p.values, p.lengths, p.formats,
                            binary_results ? 1 : 0) == 0) {
        throw_lost("could not send to");
    }
}

void Connection::queue_prepare(const char* name, const char* sql, const Parameters& p) {
    pg::count(pg::Counter::kRemotePrepared);
    if (::PQsendPrepare(connection_, name, sql, p.count, p.types) == 0) {
        throw_lost("could not send to");
    }
}

void Connection::queue_prepared(const char* name, const Parameters& p, bool binary_results) {
    if (::PQsendQueryPrepared(connection_, name, p.count, p.values, p.lengths, p.formats,
                              binary_results ? 1 : 0) == 0) {
        throw_lost("could not send to");
    }
}

void Connection::queue_sync() {
    if (::PQpipelineSync(connection_) == 0) {
        throw_lost("could not send to");
    }
}

void Connection::flush(std::int64_t deadline_ms) {
    while (!try_flush()) {
        wait(WL_SOCKET_READABLE | WL_SOCKET_WRITEABLE, deadline_ms);
    }
}

bool Connection::try_flush() {
    int state = ::PQflush(connection_);
    if (state < 0) {
        throw_lost("could not send to");
    }
    return state == 0;
}

void Connection::wait(int events, std::int64_t deadline_ms) {
    bool leave = ::InterruptHoldoffCount > 0 && (::QueryCancelPending || ::ProcDiePending);
    if (deadline_ms != pg::kNoDeadline && (leave || pg::now_ms() >= deadline_ms)) {
        // What is here already is not late: another node may have used up the time.
        if (has_input()) {
            if (::PQconsumeInput(connection_) == 0) {
                throw_lost("lost the connection to");
            }
            return;
        }
        throw Error(sqlstate::kNodeUnavailable,
                    "node \"" + endpoint_.node_name + "\" did not answer in time")
            .hint("SELECT * FROM herd.check() shows the health of every node.");
    }
    int seen = 0;
    if (deadline_ms != pg::kNoDeadline) {
        seen = waiter_->wait(::PQsocket(connection_), events, deadline_ms);
    } else {
        BoardWait waiting(place_);
        while (seen == 0) {
            seen = waiter_->wait(::PQsocket(connection_), events, waiting.until());
            if (seen == 0) {
                waiting.check();
            }
        }
    }
    if ((seen & WL_SOCKET_READABLE) != 0 && ::PQconsumeInput(connection_) == 0) {
        throw_lost("lost the connection to");
    }
}

Result Connection::next(std::int64_t deadline_ms) {
    bool waited = false;
    while (::PQisBusy(connection_) != 0) {
        waited = true;
        bool sending = ::PQflush(connection_) == 1;
        wait(WL_SOCKET_READABLE | (sending ? WL_SOCKET_WRITEABLE : 0), deadline_ms);
    }
    if (waited) {
        pg::count(pg::Counter::kRoundTrips);
    }
    Result result(::PQgetResult(connection_));
    if (::PQstatus(connection_) == CONNECTION_BAD) {
        throw_lost("lost the connection to");
    }
    return result;
}

bool Connection::ready() {
    if (::PQisBusy(connection_) == 0) {
        return true;
    }
    if (has_input() && ::PQconsumeInput(connection_) == 0) {
        throw_lost("lost the connection to");
    }
    return ::PQisBusy(connection_) == 0;
}

void Connection::leave_pipeline() {
    if (::PQpipelineStatus(connection_) != PQ_PIPELINE_OFF &&
        ::PQexitPipelineMode(connection_) == 0) {
        throw_lost("could not leave pipeline mode of");
    }
}

void Connection::enter_pipeline() {
    if (::PQenterPipelineMode(connection_) == 0) {
        throw_lost("could not enter pipeline mode of");
    }
}

void Connection::send_simple(const char* sql) {
    if (::PQsendQuery(connection_, sql) == 0) {
        throw_lost("could not send to");
    }
    flush(pg::kNoDeadline);
}

void Connection::put_copy_data(const char* data, std::size_t size) {
    constexpr std::size_t kMost = 1U << 20;
    while (size > 0) {
        std::size_t part = size < kMost ? size : kMost;
        int state = ::PQputCopyData(connection_, data, static_cast<int>(part));
        if (state < 0) {
            throw_lost("could not send to");
        }
        if (state == 0) {  // the buffer is full: back-pressure
            flush(pg::kNoDeadline);
            continue;
        }
        data += part;
        size -= part;
    }
    // Keep libpq's buffer small, without waiting for the server while it keeps up.
    if (::PQflush(connection_) == 1) {
        flush(pg::kNoDeadline);
    }
}

void Connection::end_copy(const char* error_message, std::int64_t deadline_ms) {
    while (true) {
        int state = ::PQputCopyEnd(connection_, error_message);
        if (state < 0) {
            throw_lost("could not send to");
        }
        if (state == 1) {
            break;
        }
        flush(deadline_ms);
    }
    flush(deadline_ms);
}

bool Connection::copy_answered() {
    struct pollfd descriptor = {::PQsocket(connection_), POLLIN, 0};
    if (::poll(&descriptor, 1, 0) <= 0) {
        return false;
    }
    std::size_t notices = notices_.size();
    if (::PQconsumeInput(connection_) == 0) {
        throw_lost("lost the connection to");
    }
    ::PQisBusy(connection_);  // hands out the notices among it
    return notices_.size() == notices;
}

void Connection::throw_error(const PGresult* result, const std::string& sql) const {
    std::string state = field(result, PG_DIAG_SQLSTATE);
    std::string message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    if (message.empty()) {
        message = trimmed(::PQresultErrorMessage(result));
    }
    if (message.empty()) {
        message = trimmed(::PQerrorMessage(connection_));
    }
    Error error(
        state.size() == 5 ? SqlState(std::string_view(state)) : sqlstate::kConnectionFailure,
        message);
    error.detail(field(result, PG_DIAG_MESSAGE_DETAIL));
    error.hint(field(result, PG_DIAG_MESSAGE_HINT));
    error.schema_name(field(result, PG_DIAG_SCHEMA_NAME));
    error.table_name(field(result, PG_DIAG_TABLE_NAME));
    error.column_name(field(result, PG_DIAG_COLUMN_NAME));
    error.datatype_name(field(result, PG_DIAG_DATATYPE_NAME));
    error.constraint_name(field(result, PG_DIAG_CONSTRAINT_NAME));
    std::string context = field(result, PG_DIAG_CONTEXT);
    context += (context.empty() ? "" : "\n") + ("on node \"" + endpoint_.node_name + "\"");
    if (!sql.empty()) {
        context += ", statement: " + sql;
    }
    error.context(context);
    throw error;
}

void Connection::throw_lost(const std::string& what) {
    broken_ = true;
    std::string message = connection_ == nullptr ? "" : trimmed(::PQerrorMessage(connection_));
    throw Error(
        what == "could not connect to" ? sqlstate::kCannotConnect : sqlstate::kConnectionFailure,
        what + " node \"" + endpoint_.node_name + "\"")
        .detail(message)
        .hint("SELECT * FROM herd.check() shows the health of every node.");
}

void Connection::forward_notices() {
    std::vector<Notice> notices = std::move(notices_);
    notices_.clear();
    for (const Notice& notice : notices) {
        pg::call([&] {
            ereport(notice.level,
                    (errcode(notice.state.code), errmsg_internal("%s", notice.message.c_str()),
                     notice.detail.empty() ? 0 : errdetail_internal("%s", notice.detail.c_str()),
                     notice.hint.empty() ? 0 : errhint("%s", notice.hint.c_str())));
        });
    }
}

}  // namespace herd::remote
