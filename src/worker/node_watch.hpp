// One node as the supervisor sees it: a connection that is asked every second how the node is and
// what it holds prepared, and that finishes transactions. Nothing here waits.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "failover/in_doubt.hpp"
#include "failover/node_health.hpp"
#include "pg/spi.hpp"
#include "remote/connection.hpp"

namespace herd::worker {

// What one probe came to.
struct Answer {
    Probe probe;
    std::vector<PreparedTransaction> prepared;  // of this herd, when the node answered
    std::int64_t asked_at = 0;
};

class NodeWatch {
public:
    NodeWatch(NodeId node, std::string name, std::string cluster_id)
        : node_(node), name_(std::move(name)), cluster_id_(std::move(cluster_id)) {}

    [[nodiscard]] NodeId node() const { return node_; }
    [[nodiscard]] const std::string& name() const { return name_; }

    // Time for a probe, and nothing else under way.
    [[nodiscard]] bool is_due(std::int64_t now) const {
        return state_ == State::kIdle && now >= due_at_;
    }
    [[nodiscard]] bool needs_endpoint() const { return !connection_.usable(); }
    void connect_and_ask(remote::Endpoint endpoint, std::int64_t now);
    void ask(std::int64_t now);
    void probe_soon() { due_at_ = 0; }
    // Asks for who waits for locks there; false while something else is under way.
    bool look(std::int64_t now);
    [[nodiscard]] bool is_looking() const { return state_ == State::kLooking; }
    // The answer, once; there is none when the connection got lost meanwhile.
    std::optional<pg::Rows> take_look() { return std::exchange(look_, {}); }
    [[nodiscard]] bool is_connected() const { return connection_.usable(); }
    // COMMIT PREPARED and ROLLBACK PREPARED, each by itself; then the node is asked again.
    void settle(const std::vector<std::string>& commands, std::int64_t now);

    // The socket to wait for, and for what; -1: none.
    [[nodiscard]] int socket() const;
    [[nodiscard]] int events() const { return events_; }
    void on_socket(std::int64_t now);
    // When on_time wants to be called.
    [[nodiscard]] std::int64_t next_time() const;
    void on_time(std::int64_t now);

    // The probe that has just ended, once.
    std::optional<Answer> take_answer() { return std::exchange(answer_, {}); }
    // How many of the commands of settle() have done their work since the last call.
    int take_settled() { return std::exchange(settled_, 0); }
    // Why others did not.
    std::string take_complaint() { return std::exchange(complaint_, {}); }

private:
    enum class State { kIdle, kConnecting, kAsking, kSettling, kLooking };

    void begin(State state, std::int64_t timeout_ms, std::int64_t now);
    void send(const std::vector<std::string>& commands, std::int64_t now);
    void continue_connecting(std::int64_t now);
    void flush();
    void read_results(std::int64_t now);
    void read_result(const PGresult* result, std::int64_t now);
    void read_answer(const PGresult* result);
    void note_failed_command(const PGresult* result);
    void finish(std::int64_t now);
    void fail(const std::string& problem, std::int64_t now);

    NodeId node_;
    std::string name_;
    std::string cluster_id_;
    remote::Connection connection_;
    State state_ = State::kIdle;
    int events_ = 0;
    int syncs_ = 0;       // sync points that have yet to come back
    bool fresh_ = false;  // no probe has been answered over this connection
    bool refused_ = false;
    std::int64_t due_at_ = 0;
    std::int64_t deadline_ = 0;
    int settled_ = 0;
    std::string complaint_;
    Answer asked_;
    pg::Rows seen_;
    std::optional<pg::Rows> look_;
    std::optional<Answer> answer_;
};

// herd.probe_interval, in milliseconds.
int probe_interval();
// From _PG_init.
void define_probe_interval();

}  // namespace herd::worker
