// Where COPY FROM gets its bytes: the client, a file of this server or a program; and the buffer
// that turns them into the server's encoding for a RecordReader.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/ids.hpp"
#include "copy/record_reader.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
}

namespace herd::copy {

// Whether this user may read files or run programs of the server, where the statement asks for it.
// PostgreSQL style.
void check_source_allowed(const ::CopyStmt* statement);

// What it holds is freed at the end of the transaction when close() is not reached.
class Source {
public:
    // Tells the client to begin, or opens the file. fields: how many there are in a record.
    void open(const ::CopyStmt* statement, int fields, bool binary);
    // Up to `most` bytes; 0 at the end of the data.
    std::size_t read(char* to, std::size_t most);
    // Lets the client say what it still has to say, up to the end of its data.
    void drain();
    // Throws what a program that failed has to tell.
    void close();

private:
    std::size_t read_client(char* to, std::size_t most);
    void next_message();

    enum class Kind { kClient, kStdin, kFile, kProgram };
    Kind kind_ = Kind::kClient;
    const char* name_ = nullptr;
    ::FILE* file_ = nullptr;
    ::StringInfo message_ = nullptr;
    bool at_end_ = false;
};

// What happens to the data before it is cut into records.
enum class Treatment {
    kNone,       // binary
    kVerify,     // it is in an encoding that the server takes
    kTranscode,  // it is turned into the server's
};
struct Transcoding {
    Treatment treatment = Treatment::kNone;
    int from = 0;  // the data's encoding
    Oid procedure = InvalidOid;
};

class Input {
public:
    Input(Source& source, const Transcoding& transcoding);

    // Forgets the first bytes, and reads more behind the rest; false when there are no more.
    // Throws for bytes that are not of their encoding, or can't be turned into the server's, when
    // all that stands before them has been consumed.
    bool refill(std::size_t consumed);
    [[nodiscard]] const char* data() const { return buffer_.get(); }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool at_end() const { return at_end_; }

private:
    void make_room(std::size_t room);
    bool refill_verified();
    bool refill_transcoded();
    void read_raw();
    bool convert();
    [[noreturn]] void throw_unconvertible();

    Source& source_;
    Transcoding transcoding_;
    std::unique_ptr<char[]> buffer_;
    std::size_t size_ = 0;
    std::size_t unverified_ = 0;  // bytes behind the first size_
    std::size_t capacity_ = 0;
    std::unique_ptr<char[]> raw_;  // not converted yet
    std::size_t raw_size_ = 0;
    bool source_at_end_ = false;
    bool at_end_ = false;
};

}  // namespace herd::copy
