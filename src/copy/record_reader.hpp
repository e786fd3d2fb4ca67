// What cuts the data of a COPY into records. Plain C++, no server.
//
//   reader.set_input(data, size, at_end);            // data begins where consumed() left off
//   while (reader.next() == Scan::kRecord) { ... reader.record() ... }
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/sqlstate.hpp"

namespace herd::copy {

constexpr SqlState kBadCopyFileFormat{"22P04"};

enum class Scan {
    kRecord,     // record() is the next one
    kNeedInput,  // what is left is not a whole record: give it again, with more behind it
    kDamaged,    // record() is not whole, and can't be: PostgreSQL knows what to say about it
    kEnd,        // the input or a marker has ended the data
};

struct Record {
    const char* data = nullptr;
    std::size_t size = 0;         // without its newline
    bool newline = false;         // whether it had one
    std::uint64_t number = 0;     // of its last physical line, as PostgreSQL counts
    std::uint32_t quoted_lf = 0;  // newlines inside quotes
    std::uint32_t quoted_cr = 0;
};

class RecordReader {
public:
    RecordReader() = default;
    virtual ~RecordReader() = default;
    RecordReader(const RecordReader&) = delete;
    RecordReader& operator=(const RecordReader&) = delete;

    // at_end: nothing comes after these bytes. Records handed out before are no longer valid.
    void set_input(const char* data, std::size_t size, bool at_end) {
        input_ = data;
        start_ = data;
        limit_ = data + size;
        at_end_ = at_end;
        on_input();
    }
    // Throws herd::Error for what PostgreSQL refuses before it looks at fields.
    virtual Scan next() = 0;
    [[nodiscard]] const Record& record() const { return record_; }
    // How many bytes of the input belong to records that were handed out.
    [[nodiscard]] std::size_t consumed() const { return static_cast<std::size_t>(start_ - input_); }
    // The line that an error met now belongs to; 0 where PostgreSQL names none.
    [[nodiscard]] virtual std::uint64_t number() const = 0;

protected:
    const char* input_ = nullptr;
    const char* start_ = nullptr;  // of the record that is being read
    const char* limit_ = nullptr;
    bool at_end_ = false;
    std::uint64_t number_ = 0;
    Record record_;

private:
    virtual void on_input() {}
};

}  // namespace herd::copy
