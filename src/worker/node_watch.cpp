#include "worker/node_watch.hpp"

#include <algorithm>
#include <cstring>

#include "remote/rows.hpp"
#include "worker/wait_report.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace herd::worker {

namespace {

constexpr std::int64_t kAnswerTimeoutMs = 2000;
constexpr std::int64_t kSettleTimeoutMs = 10'000;

int interval_setting = 1000;

constexpr const char* kQuestion =
    "SELECT c.cluster_id, c.self_node, p.gid,"
    " (extract(epoch FROM clock_timestamp() - p.prepared) * 1000)::int8"
    " FROM herd.cluster c LEFT JOIN pg_prepared_xacts p"
    " ON p.database = current_database() AND starts_with(p.gid, 'herd:' || c.cluster_id || ':')";

std::string first_line(const char* text) {
    std::string line = text == nullptr ? "" : text;
    line.resize(std::min(line.find('\n'), line.size()));
    return line;
}

bool has_state(const PGresult* result, const char* state) {
    const char* found = ::PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return found != nullptr && std::strcmp(found, state) == 0;
}

}  // namespace

void NodeWatch::connect_and_ask(remote::Endpoint endpoint, std::int64_t now) {
    state_ = State::kConnecting;
    fresh_ = true;
    deadline_ = now + kAnswerTimeoutMs;
    try {
        connection_.start(std::move(endpoint));
        events_ = WL_SOCKET_WRITEABLE;
    } catch (const Error& error) {
        fail(first_line(error.detail().c_str()), now);
    }
}

void NodeWatch::begin(State state, std::int64_t timeout_ms, std::int64_t now) {
    state_ = state;
    refused_ = false;
    deadline_ = now + timeout_ms;
    syncs_ = 0;
}

void NodeWatch::ask(std::int64_t now) {
    asked_ = {};
    asked_.asked_at = now;
    begin(State::kAsking, kAnswerTimeoutMs, now);
    if (fresh_) {
        // Compiling the questions takes a hundred times as long as answering them.
        send({"SET jit = off", kQuestion}, now);
    } else {
        send({kQuestion}, now);
    }
}

bool NodeWatch::look(std::int64_t now) {
    if (state_ != State::kIdle || !connection_.usable()) {
        return false;
    }
    look_.reset();
    seen_.clear();
    begin(State::kLooking, kAnswerTimeoutMs, now);
    send({wait_question()}, now);
    return true;
}

// Each in a batch of its own: behind anything else in one pipeline PostgreSQL refuses to commit
// what is prepared.
void NodeWatch::send(const std::vector<std::string>& commands, std::int64_t now) {
    try {
        for (const std::string& command : commands) {
            connection_.queue(command.c_str());
            connection_.queue_sync();
            ++syncs_;
        }
        flush();
    } catch (const Error& error) {
        fail(error.message(), now);
    }
}

void NodeWatch::settle(const std::vector<std::string>& commands, std::int64_t now) {
    if (state_ == State::kIdle && !commands.empty() && connection_.usable()) {
        begin(State::kSettling, kSettleTimeoutMs, now);
        send(commands, now);
    }
}

void NodeWatch::flush() {
    bool all_sent = connection_.try_flush();
    events_ = WL_SOCKET_READABLE | (all_sent ? 0 : WL_SOCKET_WRITEABLE);
}

int NodeWatch::socket() const {
    return connection_.raw() == nullptr ? -1 : connection_.socket();
}

void NodeWatch::on_socket(std::int64_t now) {
    try {
        switch (state_) {
            case State::kConnecting:
                continue_connecting(now);
                break;
            case State::kIdle:
                if (connection_.closed_by_server()) {
                    connection_.close();
                    due_at_ = now;
                }
                break;
            default:
                flush();
                read_results(now);
        }
    } catch (const Error& error) {
        fail(error.message() + ": " + first_line(error.detail().c_str()), now);
    }
}

void NodeWatch::continue_connecting(std::int64_t now) {
    switch (connection_.poll()) {
        case PGRES_POLLING_READING:
            events_ = WL_SOCKET_READABLE;
            break;
        case PGRES_POLLING_WRITING:
            events_ = WL_SOCKET_WRITEABLE;
            break;
        case PGRES_POLLING_OK:
            ask(now);
            break;
        default:
            fail(first_line(::PQerrorMessage(connection_.raw())), now);
    }
}

void NodeWatch::read_results(std::int64_t now) {
    while (state_ != State::kIdle && connection_.ready()) {
        remote::Result result = connection_.next();
        if (result) {
            read_result(result.get(), now);
        }
    }
}

void NodeWatch::read_result(const PGresult* result, std::int64_t now) {
    switch (::PQresultStatus(result)) {
        case PGRES_PIPELINE_SYNC:
            if (--syncs_ == 0) {
                finish(now);
            }
            break;
        case PGRES_TUPLES_OK:
            if (state_ == State::kLooking) {
                remote::append_rows(seen_, result);
            } else {
                read_answer(result);
            }
            break;
        case PGRES_COMMAND_OK:
            settled_ += state_ == State::kSettling ? 1 : 0;
            break;
        default:
            note_failed_command(result);
    }
}

void NodeWatch::read_answer(const PGresult* result) {
    asked_.probe.answered = true;
    if (::PQntuples(result) == 0 || ::PQgetvalue(result, 0, 0) != cluster_id_) {
        asked_.probe.problem = "the database there belongs to another herd";
        return;
    }
    if (std::stoi(::PQgetvalue(result, 0, 1)) != node_.value) {
        asked_.probe.problem = "the database there is another node of this herd";
        return;
    }
    asked_.probe.ours = true;
    for (int row = 0; row < ::PQntuples(result); ++row) {
        std::optional<PreparedId> id = parse_prepared_id(::PQgetvalue(result, row, 2));
        if (id && id->node == node_) {
            asked_.prepared.push_back({*id, std::stoll(::PQgetvalue(result, row, 3))});
        }
    }
}

void NodeWatch::note_failed_command(const PGresult* result) {
    std::string problem = first_line(::PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    if (state_ == State::kAsking) {
        asked_.probe.answered = true;
        asked_.probe.problem = problem;
    } else if (state_ == State::kLooking) {
        refused_ = true;
    } else if (!has_state(result, "42704") && !has_state(result, "55000")) {
        // Not there any more, or in another session's hands: then somebody else is at it.
        refused_ = true;
        complaint_ = problem;
    }
}

void NodeWatch::finish(std::int64_t now) {
    connection_.drop_notices();
    fresh_ = false;
    if (state_ == State::kAsking) {
        answer_ = std::move(asked_);
        due_at_ = now + interval_setting;
    } else if (state_ == State::kLooking) {
        if (!refused_) {
            look_ = std::move(seen_);
        }
    } else {
        due_at_ = refused_ ? now + interval_setting : now;
    }
    state_ = State::kIdle;
    events_ = WL_SOCKET_READABLE;
}

void NodeWatch::fail(const std::string& problem, std::int64_t now) {
    connection_.close();
    events_ = 0;
    state_ = State::kIdle;
    if (!fresh_) {
        due_at_ = now;  // the connection may just have been closed
        return;
    }
    due_at_ = now + interval_setting;
    answer_ = Answer{Probe{false, false, problem}, {}};
}

std::int64_t NodeWatch::next_time() const {
    return state_ == State::kIdle ? due_at_ : deadline_;
}

void NodeWatch::on_time(std::int64_t now) {
    if (state_ != State::kIdle && now >= deadline_) {
        fresh_ = true;  // a hung node is not asked again at once
        fail("no answer within " + std::to_string(kAnswerTimeoutMs / 1000) + " s", now);
    }
}

int probe_interval() {
    return interval_setting;
}

void define_probe_interval() {
    ::DefineCustomIntVariable("herd.probe_interval",
                              "Time between two questions of the supervisor to each node.", nullptr,
                              &interval_setting, 1000, 100, 60'000, PGC_SIGHUP, GUC_UNIT_MS,
                              nullptr, nullptr, nullptr);
}

}  // namespace herd::worker
