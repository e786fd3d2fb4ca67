#include "copy/binary_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.hpp"

namespace herd::copy {
namespace {

std::string tuple(const std::vector<std::string>& fields) {
    std::string out;
    append_int16(out, static_cast<std::int16_t>(fields.size()));
    for (const std::string& field : fields) {
        bool null = field == "<null>";
        append_int32(out, null ? -1 : static_cast<std::int32_t>(field.size()));
        out += null ? "" : field;
    }
    return out;
}

std::string header() {
    return std::string(binary_header());
}

std::string trailer() {
    return std::string(binary_trailer());
}

// First fields of the tuples, then what ended them.
std::vector<std::string> read(const std::string& data, std::size_t chunk, int fields = 2) {
    BinaryReader reader(fields);
    std::vector<std::string> outcome;
    std::string buffer;
    std::size_t given = 0;
    try {
        while (true) {
            std::size_t part = std::min(chunk, data.size() - given);
            buffer.erase(0, reader.consumed());
            buffer.append(data, given, part);
            given += part;
            reader.set_input(buffer.data(), buffer.size(), part == 0);
            Scan scan = reader.next();
            for (; scan == Scan::kRecord; scan = reader.next()) {
                const Record& record = reader.record();
                BinaryField first = binary_field({record.data, record.size}, 0);
                outcome.push_back(first.null ? "<null>" : std::string(first.value));
            }
            if (scan == Scan::kEnd || scan == Scan::kDamaged) {
                outcome.emplace_back(scan == Scan::kEnd ? "end" : "damaged");
                EXPECT_TRUE(scan == Scan::kDamaged || reader.next() == Scan::kEnd);
                return outcome;
            }
        }
    } catch (const Error& error) {
        outcome.push_back(std::to_string(reader.number()) + "!" + error.message());
        return outcome;
    }
}

void expect(const std::string& data, const std::vector<std::string>& outcome) {
    for (std::size_t chunk : {std::size_t{1}, std::size_t{3}, data.size() + 1}) {
        EXPECT_EQ(read(data, chunk), outcome);
    }
}

TEST(BinaryReaderTest, readsTuples) {
    expect(header() + tuple({"a", "b"}) + tuple({"<null>", ""}) + trailer(),
           {"a", "<null>", "end"});
    expect(header() + tuple({"a", "b"}), {"a", "end"});
    expect(header() + tuple({"a", "b"}) + "x", {"a", "end"});
    expect(header(), {"end"});
}

TEST(BinaryReaderTest, skipsTheHeadersExtension) {
    std::string extended = header().substr(0, 15);
    append_int32(extended, 5);
    expect(extended + "12345" + tuple({"a", "b"}) + trailer(), {"a", "end"});
    expect(extended + "123", {"1!invalid COPY file header (wrong length)"});
}

TEST(BinaryReaderTest, refusesBadHeaders) {
    expect("PGCOPY", {"0!COPY file signature not recognized"});
    expect(std::string(40, 'x'), {"0!COPY file signature not recognized"});
    expect(header().substr(0, 13), {"0!invalid COPY file header (missing flags)"});
    expect(header().substr(0, 17), {"0!invalid COPY file header (missing length)"});
    std::string flags = header();
    flags[12] = 1;
    expect(flags, {"0!invalid COPY file header (WITH OIDS)"});
    flags[12] = 2;
    expect(flags, {"0!unrecognized critical flags in COPY file header"});
    std::string length = header();
    length[15] = '\xff';
    expect(length, {"0!invalid COPY file header (missing length)"});
}

TEST(BinaryReaderTest, refusesWrongCountsAndLateData) {
    expect(header() + tuple({"a", "b"}) + tuple({"c"}),
           {"a", "2!row field count is 1, expected 2"});
    expect(header() + tuple({"a", "b"}) + trailer() + "x",
           {"a", "2!received copy data after EOF marker"});
}

TEST(BinaryReaderTest, leavesDamagedTuplesToPostgresql) {
    expect(header() + tuple({"a", "b"}) + tuple({"c", "dddd"}).substr(0, 9), {"a", "damaged"});
    std::string bad = tuple({"a", "b"});
    bad[2] = '\x80';
    expect(header() + bad, {"damaged"});
}

TEST(BinaryReaderTest, findsFields) {
    std::string data = tuple({"a", "<null>", "ccc"});
    EXPECT_EQ(binary_field(data, 0).value, "a");
    EXPECT_TRUE(binary_field(data, 1).null);
    EXPECT_EQ(binary_field(data, 2).value, "ccc");
    EXPECT_FALSE(binary_field(data, 3).found);
    EXPECT_FALSE(binary_field("", 0).found);
}

TEST(BinaryReaderTest, writesNumbersInNetworkOrder) {
    std::string out;
    append_int16(out, -2);
    append_int32(out, 0x01020304);
    EXPECT_EQ(out, std::string("\xff\xfe\x01\x02\x03\x04"));
    EXPECT_EQ(read_int16(out.data()), -2);
    EXPECT_EQ(read_int32(out.data() + 2), 0x01020304);
}

}  // namespace
}  // namespace herd::copy
