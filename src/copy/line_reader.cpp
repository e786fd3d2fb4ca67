// The rules are those of CopyReadLineText in PostgreSQL's copyfromparse.c.
#include "copy/line_reader.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/error.hpp"

namespace herd::copy {

const char* ByteFinder::from(const char* from, const char* limit) {
    if (found_ == nullptr || found_ < from) {
        const void* at = std::memchr(from, byte_, static_cast<std::size_t>(limit - from));
        found_ = at == nullptr ? limit : static_cast<const char*>(at);
    }
    return found_;
}

LineReader::LineReader(const LineFormat& format)
    : format_(format), quote_(format.quote), escape_(format.escape) {}

void LineReader::on_input() {
    for (ByteFinder* finder : {&lf_, &cr_, &backslash_, &quote_, &escape_}) {
        finder->reset();
    }
}

std::uint64_t LineReader::number() const {
    return number_ + 1 + (newline_ == Newline::kLf ? quoted_lf_ : quoted_cr_);
}

Scan LineReader::next() {
    if (finished_) {
        return Scan::kEnd;
    }
    return format_.csv ? next_csv() : next_text();
}

Scan LineReader::need_input(const char* at) {
    scanned_ = static_cast<std::size_t>(at - start_);
    return Scan::kNeedInput;
}

Scan LineReader::finish(const char* line_end, const char* next_start, bool newline) {
    record_ = {start_,     static_cast<std::size_t>(line_end - start_),
               newline,    number(),
               quoted_lf_, quoted_cr_};
    number_ = record_.number;
    start_ = next_start;
    scanned_ = 0;
    in_quote_ = false;
    escape_end_ = 0;
    quoted_lf_ = 0;
    quoted_cr_ = 0;
    return Scan::kRecord;
}

// A last record without a newline is one all the same.
Scan LineReader::at_end_of_input() {
    if (!at_end_) {
        return need_input(limit_);
    }
    finished_ = true;
    return limit_ == start_ ? Scan::kEnd : finish(limit_, limit_, false);
}

void LineReader::throw_newline(const char* name, const char* letter) const {
    if (format_.csv) {
        throw Error(kBadCopyFileFormat, std::string("unquoted ") + name + " found in data")
            .hint(std::string("Use quoted CSV field to represent ") + name + ".");
    }
    throw Error(kBadCopyFileFormat, std::string("literal ") + name + " found in data")
        .hint(std::string("Use \"") + letter + "\" to represent " + name + ".");
}

Scan LineReader::at_line_feed(const char* at) {
    if (newline_ == Newline::kCr || newline_ == Newline::kCrLf) {
        throw_newline("newline", "\\n");
    }
    // Before the kind is known, quoted carriage returns are what counts as lines.
    Scan scan = finish(at, at + 1, true);
    newline_ = Newline::kLf;
    return scan;
}

Scan LineReader::at_carriage_return(const char* at) {
    if (newline_ == Newline::kLf) {
        throw_newline("carriage return", "\\r");
    }
    if (newline_ == Newline::kCr) {
        return finish(at, at + 1, true);
    }
    if (at + 1 >= limit_ && !at_end_) {
        return need_input(at);
    }
    bool followed = at + 1 < limit_ && at[1] == '\n';
    if (!followed && newline_ == Newline::kCrLf) {
        throw_newline("carriage return", "\\r");
    }
    Scan scan = finish(at, at + (followed ? 2 : 1), true);
    newline_ = followed ? Newline::kCrLf : Newline::kCr;
    return scan;
}

// "\." at `at`: ends the data, or is damaged. In CSV what is not a marker is data: kNeedInput with
// *resume set means go on from there.
Scan LineReader::at_marker(const char* at, const char** resume) {
    const char* next = at + 2;
    auto peek = [&] { return next < limit_ ? *next : '\0'; };
    auto lacks = [&] { return next >= limit_ && !at_end_; };
    auto not_marker = [&](const char* message) {
        if (!format_.csv) {
            throw Error(kBadCopyFileFormat, message);
        }
        *resume = at;
        return Scan::kNeedInput;
    };
    constexpr const char* kMismatch = "end-of-copy marker does not match previous newline style";
    constexpr const char* kCorrupt = "end-of-copy marker corrupt";
    if (newline_ == Newline::kCrLf) {
        if (lacks()) {
            return need_input(at);
        }
        char letter = peek();
        if (letter != '\r') {
            return not_marker(letter == '\n' ? kMismatch : kCorrupt);
        }
        ++next;
    }
    if (lacks()) {
        return need_input(at);
    }
    char letter = peek();
    if (letter != '\r' && letter != '\n') {
        return not_marker(kCorrupt);
    }
    bool lf_expected = newline_ == Newline::kLf || newline_ == Newline::kCrLf;
    if ((lf_expected && letter != '\n') || (newline_ == Newline::kCr && letter != '\r')) {
        throw Error(kBadCopyFileFormat, kMismatch);
    }
    finished_ = at == start_ || format_.from_client;
    return at == start_ ? Scan::kEnd : finish(at, next + 1, true);
}

Scan LineReader::next_text() {
    const char* at = start_ + scanned_;
    while (true) {
        const char* lf = lf_.from(at, limit_);
        at = std::min({lf, cr_.from(at, limit_), backslash_.from(at, limit_)});
        if (at == limit_) {
            return at_end_of_input();
        }
        if (at == lf) {
            return at_line_feed(at);
        }
        if (*at == '\r') {
            return at_carriage_return(at);
        }
        if (at + 1 >= limit_) {
            return at_end_ ? at_end_of_input() : need_input(at);
        }
        if (at[1] == '.') {
            return at_marker(at, nullptr);
        }
        at += 2;  // whatever it is, a newline even, the backslash makes it data
    }
}

void LineReader::pass_quoted(const char* from, const char* to) {
    for (const char* at = from; (at = lf_.from(at, limit_)) < to; ++at) {
        ++quoted_lf_;
    }
    for (const char* at = from; (at = cr_.from(at, limit_)) < to; ++at) {
        ++quoted_cr_;
    }
}

// The next byte that matters in CSV.
const char* LineReader::next_special(const char* from) {
    const char* at = quote_.from(from, limit_);
    if (in_quote_) {
        return format_.escape == format_.quote ? at : std::min(at, escape_.from(from, limit_));
    }
    return std::min({at, lf_.from(from, limit_), cr_.from(from, limit_)});
}

// A quote or escape character. An escape counts only inside quotes; two in a row cancel out.
bool LineReader::pass_quote(const char* at) {
    auto offset = static_cast<std::size_t>(at - start_);
    bool escaped = in_quote_ && escape_end_ != 0 && escape_end_ == offset;
    if (in_quote_ && *at == format_.escape && format_.escape != format_.quote) {
        escape_end_ = escaped ? 0 : offset + 1;
        return true;
    }
    if (*at != format_.quote) {
        return false;
    }
    escape_end_ = 0;
    if (!escaped) {
        in_quote_ = !in_quote_;
    }
    return true;
}

Scan LineReader::next_csv() {
    const char* at = start_ + scanned_;
    if (at == start_ && at < limit_ && *at == '\\') {
        if (at + 1 >= limit_) {
            return at_end_ ? at_end_of_input() : need_input(at);
        }
        if (at[1] == '.') {
            const char* resume = nullptr;
            Scan scan = at_marker(at, &resume);
            if (resume == nullptr) {
                return scan;
            }
            at = resume;
        }
    }
    while (true) {
        const char* from = at;
        at = next_special(from);
        if (in_quote_) {
            pass_quoted(from, at);
        }
        if (at == limit_) {
            return at_end_of_input();
        }
        if (pass_quote(at)) {
            ++at;
            continue;
        }
        return *at == '\n' ? at_line_feed(at) : at_carriage_return(at);
    }
}

}  // namespace herd::copy
