// Cuts COPY's binary format into tuples: a header, tuples of counted fields, a trailer. Plain C++,
// no server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "copy/record_reader.hpp"

namespace herd::copy {

// Signature, flags and an empty extension; then the trailer that ends the tuples.
std::string_view binary_header();
std::string_view binary_trailer();

// Numbers in network byte order.
void append_int16(std::string& out, std::int16_t value);
void append_int32(std::string& out, std::int32_t value);
std::int16_t read_int16(const char* at);
std::int32_t read_int32(const char* at);

constexpr std::size_t kFieldCountSize = 2;

// A record is a tuple with its count of fields.
class BinaryReader final : public RecordReader {
public:
    explicit BinaryReader(int fields) : fields_(fields) {}
    // Throws 22P04 for a bad header, a wrong count of fields, and data behind the trailer.
    Scan next() override;
    [[nodiscard]] std::uint64_t number() const override { return header_read_ ? number_ + 1 : 0; }

private:
    Scan read_header();
    Scan at_trailer();
    Scan short_of_input() const { return at_end_ ? Scan::kDamaged : Scan::kNeedInput; }
    [[nodiscard]] std::size_t left(const char* at) const {
        return static_cast<std::size_t>(limit_ - at);
    }
    Scan finish(const char* end, Scan scan);

    int fields_;
    bool header_read_ = false;
    bool finished_ = false;
    std::size_t skip_ = 0;  // of the header's extension
};

// The bytes of one field of a tuple; null_field for NULL, false when the tuple has no such field.
struct BinaryField {
    bool found = false;
    bool null = false;
    std::string_view value;
};
BinaryField binary_field(std::string_view tuple, int index);

}  // namespace herd::copy
