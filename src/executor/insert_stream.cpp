#include "executor/insert_stream.hpp"

#include <algorithm>

#include "executor/row_bytes.hpp"

namespace herd::executor {

namespace {

// Whether a line of a node's context only says where its COPY was.
bool is_place_in_copy(const std::string& line, const std::string& table) {
    std::string start = "COPY " + table + ", line ";
    return line.compare(0, start.size(), start) == 0;
}

// The user knows of no COPY, and of no lines.
std::string without_copy(const std::string& context, const std::string& table) {
    std::string kept;
    std::size_t at = 0;
    while (at < context.size()) {
        std::size_t end = std::min(context.find('\n', at), context.size());
        std::string line = context.substr(at, end - at);
        if (!is_place_in_copy(line, table)) {
            kept += (kept.empty() ? "" : "\n") + line;
        }
        at = end + 1;
    }
    return kept;
}

// What the statement reads there later is as it was before the COPY.
void keep_snapshot(transaction::Link& link, std::uint64_t statement) {
    if (link.keeps_snapshot_of(statement)) {
        return;
    }
    transaction::Statement any;
    any.text = "SELECT 1";
    any.fragment = statement;
    link.send(any, nullptr);
    while (link.receive()) {
    }
}

}  // namespace

InsertStream::InsertStream(const InsertCopy& copy, const std::vector<NodeId>& nodes)
    : copy_(copy), memory_(CurrentMemoryContext), owner_(CurrentResourceOwner) {
    for (NodeId node : nodes) {
        targets_.push_back({node});
    }
}

InsertStream::~InsertStream() {
    // An open COPY is left behind only by an error, and ends with its transaction.
    for (const auto& [node, link] : transaction::session_links()) {
        link->abandon(this);
    }
}

bool InsertStream::is_free() const {
    return std::all_of(targets_.begin(), targets_.end(), [](const Target& target) {
        return target.state == State::kOpen || !transaction::link_to(target.node).is_read();
    });
}

void InsertStream::put(const std::string& rows) {
    if (rows.empty()) {
        return;
    }
    bool is_free_now = is_free();
    if (is_free_now && kept_ == read_) {
        send(rows.data(), rows.size());
        return;
    }
    keep(rows);
    // What is behind catches up, without keeping the other nodes waiting for long.
    for (int i = 0; i < 2 && is_free_now; ++i) {
        (void)send_kept();
    }
}

// A size, then the rows: whole ones, so that a COPY can end behind them.
void InsertStream::keep(const std::string& rows) {
    std::uint64_t size = rows.size();
    pg::call([&] {
        if (file_ == nullptr) {
            ::ResourceOwner old_owner = CurrentResourceOwner;
            ::MemoryContext old = MemoryContextSwitchTo(memory_);
            CurrentResourceOwner = owner_;
            file_ = ::BufFileCreateTemp(false);
            CurrentResourceOwner = old_owner;
            MemoryContextSwitchTo(old);
        }
        (void)::BufFileSeek(file_, 0, static_cast<off_t>(kept_), SEEK_SET);
        ::BufFileWrite(file_, &size, sizeof(size));
        ::BufFileWrite(file_, const_cast<char*>(rows.data()), rows.size());
    });
    kept_ += sizeof(size) + size;
}

bool InsertStream::send_kept() {
    if (kept_ == read_) {
        return false;
    }
    std::uint64_t size = 0;
    auto read = [&](void* into, std::size_t wanted) {
        if (pg::call([&] { return ::BufFileRead(file_, into, wanted); }) != wanted) {
            throw Error(sqlstate::kInternalError, "a temporary file has lost rows of an INSERT");
        }
    };
    pg::call([&] { (void)::BufFileSeek(file_, 0, static_cast<off_t>(read_), SEEK_SET); });
    read(&size, sizeof(size));
    std::string rows(size, '\0');
    read(rows.data(), size);
    read_ += sizeof(size) + size;
    send(rows.data(), rows.size());
    return true;
}

void InsertStream::send(const char* data, std::size_t size) {
    for (Target& target : targets_) {
        if (target.state == State::kIdle) {
            begin(target);
        }
        remote::Connection& connection = transaction::link_to(target.node).connection();
        connection.put_copy_data(data, size);
        if (connection.copy_answered()) {
            end_copy(target);
            await(target);
        }
    }
}

void InsertStream::begin(Target& target) {
    transaction::Link& link = transaction::link_to(target.node);
    if (copy_.statement != 0 && !target.has_snapshot) {
        keep_snapshot(link, copy_.statement);
        target.has_snapshot = true;
    }
    link.begin_copy(copy_.text, this);
    target.state = State::kOpen;
    link.connection().put_copy_data(row_bytes_header().data(), row_bytes_header().size());
}

void InsertStream::end_copy(Target& target) {
    if (target.state == State::kOpen) {
        transaction::Link& link = transaction::link_to(target.node);
        link.connection().put_copy_data(row_bytes_trailer().data(), row_bytes_trailer().size());
        link.send_copy_end();
        target.state = State::kEnding;
    }
}

void InsertStream::await(Target& target) {
    if (target.state != State::kEnding) {
        return;
    }
    target.state = State::kIdle;
    try {
        std::uint64_t rows = transaction::link_to(target.node).await_copy();
        stored_ += &target == targets_.data() ? rows : 0;
    } catch (const Error& error) {
        throw_as_insert(error);
    }
}

void InsertStream::throw_as_insert(const Error& error) const {
    Error cleaned = error;
    cleaned.context(without_copy(error.context(), copy_.table));
    throw Error(cleaned);
}

void InsertStream::send_end() {
    for (Target& target : targets_) {
        end_copy(target);
    }
}

void InsertStream::await_end() {
    for (Target& target : targets_) {
        await(target);
    }
}

void InsertStream::spool() {
    send_end();
    await_end();
}

void InsertStream::end() {
    if (::BufFile* file = std::exchange(file_, nullptr)) {
        ::BufFileClose(file);
    }
}

}  // namespace herd::executor
