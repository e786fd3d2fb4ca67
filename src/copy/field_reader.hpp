// Reads one field of a record and writes fields in front of one, with COPY's escapes and quotes.
// Plain C++, no server.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "copy/line_reader.hpp"

namespace herd::copy {

struct FieldFormat : LineFormat {
    std::string null_text = "\\N";
    bool force_not_null = false;  // of the field that is read (CSV)
    bool force_null = false;
};

enum class Field {
    kMissing,  // the record has fewer fields, or a quote is never closed
    kNull,
    kValue,
};

class FieldReader {
public:
    // index: which field, from 0.
    FieldReader(const FieldFormat& format, int index) : format_(format), index_(index) {}

    // The bytes of value() are behind `line` or inside of this object, until the next call.
    Field read(std::string_view line);
    [[nodiscard]] std::string_view value() const { return value_; }

private:
    Field read_text(std::string_view line);
    Field read_csv(std::string_view line);
    bool next_text(const char*& at, const char* limit, bool keep);
    enum class End { kDelimiter, kLine, kUnclosed };
    End next_csv(const char*& at, const char* limit, bool keep);
    End quoted_part(const char*& at, const char* limit, bool keep);
    Field finish(bool quoted, std::string_view raw);
    void unescape(const char*& at, const char* limit, bool keep);

    FieldFormat format_;
    int index_;
    std::string_view value_;
    std::string buffer_;
    bool quoted_ = false;
};

// Appends a value as a field. Throws HR003 for what the format has no way to write.
void append_field(std::string& line, const FieldFormat& format, std::string_view value);

}  // namespace herd::copy
