// One connection of the emulation: sends several calls of prepared statements as one message and
// says when their answers are complete. Never waits.
#pragma once

#include <libpq-fe.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace emulation {

// A statement that every connection prepares when it is made.
struct Statement {
    const char* name;
    const char* sql;
};

// One call of a prepared statement with integers (sent in binary), or with one text; or, when there
// is no such name, a statement that can't have parameters, as it is.
struct Call {
    const char* name = nullptr;
    std::array<std::int32_t, 3> numbers{};
    int count = 0;
    std::string text{};  // the text parameter, or the whole statement
};

class Link {
public:
    // Connects and prepares; throws std::runtime_error. The only member that waits.
    Link(const std::string& conninfo, const std::vector<Statement>& statements);

    // All calls and a Sync, in one write.
    void send(const std::vector<Call>& calls);

    // Takes what has arrived; true when the answers to the last send are complete. An error of the
    // server is thrown.
    bool receive();

    int socket() const;

private:
    struct Closer {
        void operator()(PGconn* connection) const { ::PQfinish(connection); }
    };

    void send_one(const Call& call);
    [[noreturn]] void fail(const char* what) const;

    std::unique_ptr<PGconn, Closer> connection_;
};

}  // namespace emulation
