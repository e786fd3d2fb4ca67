// The rules are those of ReceiveCopyBinaryHeader and NextCopyFrom in copyfromparse.c.
#include "copy/binary_reader.hpp"

#include <cstring>

#include "base/error.hpp"

namespace herd::copy {

namespace {

constexpr std::size_t kSignatureSize = 11;
constexpr std::size_t kHeaderSize = kSignatureSize + 8;
constexpr char kHeader[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
constexpr std::size_t kLengthSize = 4;

}  // namespace

std::string_view binary_header() {
    return {kHeader, kHeaderSize};
}

std::string_view binary_trailer() {
    return {"\377\377", kFieldCountSize};
}

void append_int16(std::string& out, std::int16_t value) {
    auto bits = static_cast<std::uint16_t>(value);
    out += static_cast<char>(bits >> 8U);
    out += static_cast<char>(bits & 0xFFU);
}

void append_int32(std::string& out, std::int32_t value) {
    auto bits = static_cast<std::uint32_t>(value);
    for (int shift = 24; shift >= 0; shift -= 8) {
        out += static_cast<char>((bits >> static_cast<unsigned>(shift)) & 0xFFU);
    }
}

std::int16_t read_int16(const char* at) {
    auto high = static_cast<unsigned char>(at[0]);
    auto low = static_cast<unsigned char>(at[1]);
    return static_cast<std::int16_t>(static_cast<std::uint16_t>(high << 8U | low));
}

std::int32_t read_int32(const char* at) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < kLengthSize; ++i) {
        bits = bits << 8U | static_cast<unsigned char>(at[i]);
    }
    return static_cast<std::int32_t>(bits);
}

Scan BinaryReader::read_header() {
    if (left(start_) < kSignatureSize + 2 * kLengthSize && !at_end_) {
        return Scan::kNeedInput;
    }
    if (left(start_) < kSignatureSize || std::memcmp(start_, kHeader, kSignatureSize) != 0) {
        throw Error(kBadCopyFileFormat, "COPY file signature not recognized");
    }
    if (left(start_) < kSignatureSize + kLengthSize) {
        throw Error(kBadCopyFileFormat, "invalid COPY file header (missing flags)");
    }
    std::uint32_t flags = static_cast<std::uint32_t>(read_int32(start_ + kSignatureSize));
    if ((flags & 1U << 16U) != 0) {
        throw Error(kBadCopyFileFormat, "invalid COPY file header (WITH OIDS)");
    }
    if (flags >> 16U != 0) {
        throw Error(kBadCopyFileFormat, "unrecognized critical flags in COPY file header");
    }
    std::int32_t length =
        left(start_) < kHeaderSize ? -1 : read_int32(start_ + kSignatureSize + kLengthSize);
    if (length < 0) {
        throw Error(kBadCopyFileFormat, "invalid COPY file header (missing length)");
    }
    start_ += kHeaderSize;
    skip_ = static_cast<std::size_t>(length);
    header_read_ = true;
    return Scan::kRecord;
}

Scan BinaryReader::at_trailer() {
    if (left(start_) > kFieldCountSize) {
        throw Error(kBadCopyFileFormat, "received copy data after EOF marker");
    }
    if (!at_end_) {
        return Scan::kNeedInput;
    }
    finished_ = true;
    return Scan::kEnd;
}

Scan BinaryReader::finish(const char* end, Scan scan) {
    number_ += 1;
    record_ = {start_, static_cast<std::size_t>(end - start_), false, number_, 0, 0};
    start_ = end;
    return scan;
}

Scan BinaryReader::next() {
    if (finished_) {
        return Scan::kEnd;
    }
    if (!header_read_ && read_header() == Scan::kNeedInput) {
        return Scan::kNeedInput;
    }
    if (skip_ > 0) {
        std::size_t part = skip_ < left(start_) ? skip_ : left(start_);
        start_ += part;
        skip_ -= part;
        if (skip_ > 0 && at_end_) {
            throw Error(kBadCopyFileFormat, "invalid COPY file header (wrong length)");
        }
    }
    const char* at = start_;
    if (left(at) < kFieldCountSize) {
        return at_end_ ? Scan::kEnd : Scan::kNeedInput;
    }
    std::int16_t count = read_int16(at);
    if (count == -1) {
        return at_trailer();
    }
    if (count != fields_) {
        throw Error(kBadCopyFileFormat, "row field count is " + std::to_string(count) +
                                            ", expected " + std::to_string(fields_));
    }
    at += kFieldCountSize;
    for (int i = 0; i < fields_; ++i) {
        std::int32_t length = left(at) < kLengthSize ? 0 : read_int32(at);
        bool invalid = length < -1;
        auto size = static_cast<std::size_t>(length > 0 ? length : 0);
        if (invalid || left(at) < kLengthSize || left(at) - kLengthSize < size) {
            Scan scan = invalid ? Scan::kDamaged : short_of_input();
            return scan == Scan::kDamaged ? finish(limit_, scan) : scan;
        }
        at += kLengthSize + size;
    }
    return finish(at, Scan::kRecord);
}

BinaryField binary_field(std::string_view tuple, int index) {
    const char* at = tuple.data() + kFieldCountSize;
    if (tuple.size() < kFieldCountSize || index >= read_int16(tuple.data())) {
        return {};
    }
    for (int i = 0;; ++i) {
        std::int32_t length = read_int32(at);
        at += kLengthSize;
        auto size = static_cast<std::size_t>(length > 0 ? length : 0);
        if (i == index) {
            return {true, length < 0, {at, size}};
        }
        at += size;
    }
}

}  // namespace herd::copy
