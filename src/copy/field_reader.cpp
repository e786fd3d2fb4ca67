// The rules are those of CopyReadAttributesText and CopyReadAttributesCSV in copyfromparse.c.
#include "copy/field_reader.hpp"

#include <cstring>

#include "base/error.hpp"

namespace herd::copy {

namespace {

bool is_octal(char letter) {
    return letter >= '0' && letter <= '7';
}

int hex_value(char letter) {
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    if (letter >= 'a' && letter <= 'f') {
        return letter - 'a' + 10;
    }
    return letter >= 'A' && letter <= 'F' ? letter - 'A' + 10 : -1;
}

// What stands behind a backslash for one other character; 0 when it stands for itself.
char simple_escape(char letter) {
    switch (letter) {
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        case 'v':
            return '\v';
        default:
            return 0;
    }
}

const char* find(const char* at, const char* limit, char byte) {
    const void* found = std::memchr(at, byte, static_cast<std::size_t>(limit - at));
    return found == nullptr ? limit : static_cast<const char*>(found);
}

std::string_view between(const char* from, const char* to) {
    return {from, static_cast<std::size_t>(to - from)};
}

}  // namespace

Field FieldReader::read(std::string_view line) {
    return format_.csv ? read_csv(line) : read_text(line);
}

// The character or number behind a backslash; `at` is just behind it.
void FieldReader::unescape(const char*& at, const char* limit, bool keep) {
    char letter = *at++;
    int value = static_cast<unsigned char>(letter);
    if (is_octal(letter)) {
        value = letter - '0';
        for (int digits = 1; digits < 3 && at < limit && is_octal(*at); ++digits) {
            value = value * 8 + (*at++ - '0');
        }
    } else if (letter == 'x' && at < limit && hex_value(*at) >= 0) {
        value = hex_value(*at++);
        if (at < limit && hex_value(*at) >= 0) {
            value = value * 16 + hex_value(*at++);
        }
    } else if (char simple = simple_escape(letter)) {
        value = simple;
    }
    if (keep) {
        buffer_ += static_cast<char>(value & 0xFF);
    }
}

// Passes one field; true when a delimiter ended it. With keep, value_ is the field.
bool FieldReader::next_text(const char*& at, const char* limit, bool keep) {
    const char* start = at;
    const char* end = find(at, limit, format_.delimiter);
    const char* backslash = find(at, end, '\\');
    if (backslash == end) {
        value_ = between(start, end);
        at = end < limit ? end + 1 : limit;
        return end < limit;
    }
    buffer_.clear();
    while (at < limit && *at != format_.delimiter) {
        if (*at == '\\') {
            if (++at == limit) {
                break;  // nothing behind it: it is dropped
            }
            unescape(at, limit, keep);
        } else {
            const char* from = at;
            while (at < limit && *at != format_.delimiter && *at != '\\') {
                ++at;
            }
            if (keep) {
                buffer_.append(from, at);
            }
        }
    }
    value_ = between(start, at);
    bool more = at < limit;
    at += more ? 1 : 0;
    return more;
}

Field FieldReader::read_text(std::string_view line) {
    const char* at = line.data();
    const char* limit = at + line.size();
    for (int i = 0; i < index_; ++i) {
        if (!next_text(at, limit, false)) {
            return Field::kMissing;
        }
    }
    next_text(at, limit, true);
    // The NULL text is compared before escapes are undone.
    if (value_ == format_.null_text) {
        return Field::kNull;
    }
    if (value_.find('\\') != std::string_view::npos) {
        value_ = buffer_;
    }
    return Field::kValue;
}

// Inside quotes, up to the closing one.
FieldReader::End FieldReader::quoted_part(const char*& at, const char* limit, bool keep) {
    while (true) {
        const char* from = at;
        while (at < limit && *at != format_.quote && *at != format_.escape) {
            ++at;
        }
        if (keep) {
            buffer_.append(from, at);
        }
        if (at == limit) {
            return End::kUnclosed;
        }
        char letter = *at++;
        if (letter == format_.escape && at < limit &&
            (*at == format_.escape || *at == format_.quote)) {
            if (keep) {
                buffer_ += *at;
            }
            ++at;
        } else if (letter == format_.quote) {
            return End::kDelimiter;
        } else if (keep) {
            buffer_ += letter;
        }
    }
}

FieldReader::End FieldReader::next_csv(const char*& at, const char* limit, bool keep) {
    quoted_ = false;
    const char* start = at;
    while (true) {
        const char* from = at;
        while (at < limit && *at != format_.delimiter && *at != format_.quote) {
            ++at;
        }
        bool ends = at == limit || *at == format_.delimiter;
        if (ends && !quoted_) {
            value_ = between(start, at);
        } else if (keep) {
            if (!quoted_) {
                buffer_.clear();
            }
            buffer_.append(from, at);
        }
        if (ends) {
            bool more = at < limit;
            at += more ? 1 : 0;
            return more ? End::kDelimiter : End::kLine;
        }
        quoted_ = true;
        ++at;
        if (quoted_part(at, limit, keep) == End::kUnclosed) {
            return End::kUnclosed;
        }
    }
}

Field FieldReader::read_csv(std::string_view line) {
    const char* at = line.data();
    const char* limit = at + line.size();
    for (int i = 0; i < index_; ++i) {
        if (next_csv(at, limit, false) != End::kDelimiter) {
            return Field::kMissing;
        }
    }
    if (next_csv(at, limit, true) == End::kUnclosed) {
        return Field::kMissing;
    }
    if (quoted_) {
        value_ = buffer_;
    } else if (value_ == format_.null_text) {
        return format_.force_not_null ? Field::kValue : Field::kNull;
    }
    return format_.force_null && value_ == format_.null_text ? Field::kNull : Field::kValue;
}

namespace {

void append_csv(std::string& line, const FieldFormat& format, std::string_view value) {
    line += format.quote;
    for (char letter : value) {
        if (letter == format.quote || letter == format.escape) {
            line += format.escape;
        }
        line += letter;
    }
    line += format.quote;
}

void append_text(std::string& line, const FieldFormat& format, std::string_view value) {
    for (char letter : value) {
        if (letter == '\n') {
            line += "\\n";
        } else if (letter == '\r') {
            line += "\\r";
        } else {
            if (letter == '\\' || letter == format.delimiter) {
                line += '\\';
            }
            line += letter;
        }
    }
}

}  // namespace

void append_field(std::string& line, const FieldFormat& format, std::string_view value) {
    if (format.csv) {
        append_csv(line, format, value);
        return;
    }
    std::size_t start = line.size();
    append_text(line, format, value);
    if (line.compare(start, std::string::npos, format.null_text) != 0) {
        return;
    }
    if (value.empty()) {
        throw Error(sqlstate::kStatementNotCovered,
                    "an empty default can't be written where the NULL text is empty")
            .hint("Give COPY another NULL text, or FORMAT csv.");
    }
    // Written otherwise, so that it isn't taken for NULL.
    constexpr const char* kHex = "0123456789abcdef";
    auto first = static_cast<unsigned char>(value.front());
    line.resize(start);
    line += "\\x";
    line += kHex[first >> 4];
    line += kHex[first & 15];
    append_text(line, format, value.substr(1));
}

}  // namespace herd::copy
