// Ordinary sessions on other servers: no token, no part in this session's transaction.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/herd_catalog.hpp"
#include "model/node.hpp"
#include "pg/spi.hpp"
#include "remote/connection.hpp"

namespace herd::api {

class PlainSession {
public:
    // Begins to connect; every step after that has the deadline. Errors: kCannotConnect.
    PlainSession(const Server& server, const std::string& name, std::int64_t timeout_ms = 10'000);

    // One statement in a transaction of its own; rows as text. Errors: kCannotConnect, the
    // server's.
    pg::Rows query(const std::string& sql);

    // The same in two halves, so that several servers work at once.
    void open();
    void send(const std::string& sql);
    pg::Rows receive();

private:
    std::int64_t deadline() const { return pg::now_ms() + timeout_ms_; }

    std::int64_t timeout_ms_;
    std::int64_t open_by_;
    remote::Connection connection_;
    std::string sql_;
    bool open_ = false;
};

// Sessions on all other nodes of the herd.
class PlainSessions {
public:
    struct Answer {
        const catalog::NodeEntry* node = nullptr;
        std::optional<pg::Rows> rows;  // empty when the node did not answer
        std::string problem;           // why not
        bool reachable = false;
    };

    // Begins to connect to all; a node that can't be reached is left out of what follows.
    PlainSessions(const catalog::Catalog& herd, std::int64_t timeout_ms);

    // Runs the statement on all nodes at once. Never throws for what a node does; only for a
    // cancel.
    std::vector<Answer> ask(const std::string& sql);

    // The session on one node; null where it is not reachable.
    [[nodiscard]] PlainSession* on(NodeId node);

private:
    struct Member {
        const catalog::NodeEntry* node = nullptr;
        std::unique_ptr<PlainSession> session;
        std::string problem;
    };
    std::vector<Member> members_;
};

}  // namespace herd::api
