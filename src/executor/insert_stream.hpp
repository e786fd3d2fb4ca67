// The rows of an INSERT on their way to nodes by binary COPY. What can't be sent yet, because the
// statement still reads from the node over the session's one connection, is kept in a temporary
// file.
#pragma once

#include <string>
#include <vector>

#include "transaction/session.hpp"

extern "C" {
#include "storage/buffile.h"
#include "utils/resowner.h"
}

namespace herd::executor {

// What all streams of a statement have in common.
struct InsertCopy {
    const char* text = nullptr;   // "COPY public.t (a, b) FROM STDIN ..."
    const char* table = nullptr;  // as the nodes' messages name it
    std::uint64_t statement = 0;  // not 0: later parts of it read what was there before it
};

class InsertStream final : public transaction::Stream {
public:
    // nodes: which get the rows, each all of them.
    InsertStream(const InsertCopy& copy, const std::vector<NodeId>& nodes);
    ~InsertStream();
    InsertStream(const InsertStream&) = delete;
    InsertStream& operator=(const InsertStream&) = delete;

    // Sends whole rows, or keeps them for later. Errors: the nodes', which come some time after the
    // rows.
    void put(const std::string& rows);
    // After the last row: sends some of what is kept; false when nothing is left.
    bool send_kept();
    // Ends the COPYs, in two halves, so that all streams finish at once.
    void send_end();
    void await_end();
    // How many rows the first node has stored.
    [[nodiscard]] std::uint64_t stored() const { return stored_; }
    // What was kept goes; PostgreSQL style.
    void end();

    // Another statement needs a link: the COPYs end, the next rows begin others.
    void spool() override;

private:
    enum class State { kIdle, kOpen, kEnding };
    struct Target {
        NodeId node;
        State state = State::kIdle;
        bool has_snapshot = false;
    };

    [[nodiscard]] bool is_free() const;
    void keep(const std::string& rows);
    void send(const char* data, std::size_t size);
    void begin(Target& target);
    void end_copy(Target& target);
    void await(Target& target);
    [[noreturn]] void throw_as_insert(const Error& error) const;

    const InsertCopy& copy_;
    std::vector<Target> targets_;
    ::MemoryContext memory_;
    ::ResourceOwner owner_;
    ::BufFile* file_ = nullptr;
    std::uint64_t kept_ = 0;  // bytes in the file ...
    std::uint64_t read_ = 0;  // ... of them sent
    std::uint64_t stored_ = 0;
};

}  // namespace herd::executor
