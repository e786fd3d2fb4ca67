// Where records go: a batch of bytes for one server, and a node's COPY that takes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "copy/line_map.hpp"
#include "copy/record_reader.hpp"
#include "transaction/session.hpp"

namespace herd::copy {

constexpr std::uint64_t kUnknownLine = UINT64_MAX;

// An error of the data, with the file's line where it is known.
class Failure : public Error {
public:
    explicit Failure(const Error& error, std::uint64_t at = kUnknownLine)
        : Error(error), line(at) {}
    std::uint64_t line;
    // The record is with this server's CopyFrom, which says it better.
    bool given_to_local = false;
};

// Bytes that wait for one server, and which lines of the file it got.
class Batch {
public:
    // All kinds of newlines become one.
    void add(std::string_view prefix, const Record& record) {
        bytes.append(prefix);
        bytes.append(record.data, record.size);
        if (record.newline) {
            bytes += '\n';
        }
        // A server that has seen no newline yet counts quoted carriage returns.
        own_line_ += 1 + (first_ ? record.quoted_cr : record.quoted_lf);
        first_ = false;
        lines.add(own_line_, record.number);
    }
    // The server begins to count anew.
    void restart();

    std::string bytes;
    LineMap lines;

private:
    std::uint64_t own_line_ = 0;
    bool first_ = true;
};

// The file's line numbers in an error that a server's COPY has raised.
Failure mapped_failure(const Error& error, const std::string& relation, const LineMap& lines);

// What the COPYs of all nodes have in common.
struct NodeCopy {
    std::string statement;
    std::string relation;
    std::string header;  // of the binary format
    std::string trailer;
    std::string encoding;  // the client's, where the node must receive text in it
};

class NodeTarget final : public transaction::Stream {
public:
    NodeTarget(NodeId node, const NodeCopy& copy) : node_(node), copy_(copy) {}
    ~NodeTarget();
    NodeTarget(const NodeTarget&) = delete;
    NodeTarget& operator=(const NodeTarget&) = delete;

    [[nodiscard]] NodeId node() const { return node_; }
    Batch batch;
    [[nodiscard]] bool needs_begin() const {
        return state_ == State::kIdle && !batch.bytes.empty();
    }

    // Sends the batch, beginning a COPY where there is none. The node's errors come as Failure,
    // from here on: errors of the data are noticed some time after it was sent.
    void flush();
    // Ends the COPY, in two halves, so that all nodes finish at once.
    void send_end();
    void await_end();
    // After a failure elsewhere the node must give up. judge: it gets the rest of its records
    // first, since one of them may be bad. Returns the error that it had itself, if any.
    std::optional<Failure> give_up(bool judge) noexcept;
    // Another statement of this session needs the link: this COPY ends, the next batch begins
    // another.
    void spool() override;

    [[nodiscard]] std::uint64_t rows() const { return rows_; }

private:
    enum class State { kIdle, kOpen, kEnding };
    void begin();
    [[nodiscard]] transaction::Link& link() const { return transaction::link_to(node_); }

    NodeId node_;
    const NodeCopy& copy_;
    State state_ = State::kIdle;
    std::uint64_t rows_ = 0;
};

}  // namespace herd::copy
