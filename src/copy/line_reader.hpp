// Cuts the text of a COPY into records, exactly where PostgreSQL would: newlines of three kinds,
// backslashes, quoted newlines, the end-of-data marker "\.". Plain C++, no server.
//
//   LineReader reader(format);
//   reader.set_input(data, size, at_end);            // data begins where consumed() left off
//   while (reader.next() == Scan::kRecord) { ... reader.record() ... }
//
// Input is in an encoding whose multi-byte characters have no ASCII bytes, as server encodings are.
#pragma once

#include "copy/record_reader.hpp"

namespace herd::copy {

struct LineFormat {
    bool csv = false;
    char delimiter = '\t';
    char quote = '"';
    char escape = '"';
    // A marker behind data on its line ends what a client sends. PostgreSQL reads on in a file.
    bool from_client = true;
};

enum class Newline { kUnknown, kLf, kCr, kCrLf };

// The next occurrence of a byte, looked for once however often it is asked.
class ByteFinder {
public:
    explicit ByteFinder(char byte) : byte_(byte) {}
    void reset() { found_ = nullptr; }
    // The first occurrence in [from, limit), or limit.
    const char* from(const char* from, const char* limit);

private:
    char byte_;
    const char* found_ = nullptr;
};

class LineReader final : public RecordReader {
public:
    explicit LineReader(const LineFormat& format);

    // Throws 22P04 for newlines that don't match the first one's kind, and for damaged markers.
    Scan next() override;
    [[nodiscard]] std::uint64_t number() const override;

private:
    void on_input() override;
    Scan next_text();
    Scan next_csv();
    Scan at_backslash(const char* at);
    Scan at_marker(const char* at, const char** resume);
    Scan at_carriage_return(const char* at);
    Scan at_line_feed(const char* at);
    Scan at_end_of_input();
    void pass_quoted(const char* from, const char* to);
    bool pass_quote(const char* at);
    const char* next_special(const char* from);
    Scan need_input(const char* at);
    Scan finish(const char* line_end, const char* next_start, bool newline);
    [[noreturn]] void throw_newline(const char* name, const char* letter) const;

    LineFormat format_;
    Newline newline_ = Newline::kUnknown;
    std::size_t scanned_ = 0;  // bytes of this record that need not be looked at again
    bool finished_ = false;
    bool in_quote_ = false;
    std::size_t escape_end_ = 0;  // offset behind an escape that waits for its character, or 0
    std::uint32_t quoted_lf_ = 0;
    std::uint32_t quoted_cr_ = 0;
    ByteFinder lf_{'\n'};
    ByteFinder cr_{'\r'};
    ByteFinder backslash_{'\\'};
    ByteFinder quote_;
    ByteFinder escape_;
};

}  // namespace herd::copy
