#include "copy/line_reader.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace herd::copy {
namespace {

// What a reader makes of the data: records as "number:text", then the end or the error.
using Outcome = std::vector<std::string>;

Outcome read_in_chunks(const LineFormat& format, const std::string& data, std::size_t chunk) {
    LineReader reader(format);
    Outcome outcome;
    std::string buffer;
    std::size_t given = 0;
    try {
        while (true) {
            std::size_t part = std::min(chunk, data.size() - given);
            buffer.erase(0, reader.consumed());
            buffer.append(data, given, part);
            given += part;
            bool at_end = part == 0;
            reader.set_input(buffer.data(), buffer.size(), at_end);
            Scan scan = reader.next();
            for (; scan == Scan::kRecord; scan = reader.next()) {
                const Record& record = reader.record();
                outcome.push_back(std::to_string(record.number) + ":" +
                                  std::string(record.data, record.size) +
                                  (record.newline ? "" : "<end>"));
            }
            if (scan == Scan::kEnd) {
                EXPECT_EQ(reader.next(), Scan::kEnd);
                return outcome;
            }
            EXPECT_FALSE(at_end) << "asked for input behind the end";
            if (at_end) {
                return outcome;
            }
        }
    } catch (const Error& error) {
        EXPECT_EQ(error.state(), kBadCopyFileFormat);
        outcome.push_back(std::to_string(reader.number()) + "!" + error.message());
        return outcome;
    }
}

Outcome read(const LineFormat& format, const std::string& data) {
    return read_in_chunks(format, data, data.size() + 1);
}

LineFormat csv() {
    LineFormat format;
    format.csv = true;
    format.delimiter = ',';
    return format;
}

TEST(LineReaderTest, endsLinesAtTheFirstKindOfNewline) {
    EXPECT_EQ(read({}, "a\nb\n"), (Outcome{"1:a", "2:b"}));
    EXPECT_EQ(read({}, "a\r\nb\r\n"), (Outcome{"1:a", "2:b"}));
    EXPECT_EQ(read({}, "a\rb\r"), (Outcome{"1:a", "2:b"}));
    EXPECT_EQ(read({}, ""), Outcome{});
    EXPECT_EQ(read({}, "\n\nx"), (Outcome{"1:", "2:", "3:x<end>"}));
}

TEST(LineReaderTest, refusesOtherKindsOfNewlines) {
    EXPECT_EQ(read({}, "a\nb\rc\n"), (Outcome{"1:a", "2!literal carriage return found in data"}));
    EXPECT_EQ(read({}, "a\rb\nc"), (Outcome{"1:a", "2!literal newline found in data"}));
    EXPECT_EQ(read({}, "a\r\nb\n"), (Outcome{"1:a", "2!literal newline found in data"}));
    EXPECT_EQ(read({}, "a\r\nb\rc"), (Outcome{"1:a", "2!literal carriage return found in data"}));
    EXPECT_EQ(read(csv(), "a\nb\rc"), (Outcome{"1:a", "2!unquoted carriage return found in data"}));
    EXPECT_EQ(read(csv(), "a\rb\nc"), (Outcome{"1:a", "2!unquoted newline found in data"}));
}

TEST(LineReaderTest, takesWhatIsBehindABackslashAsData) {
    EXPECT_EQ(read({}, "a\\\nb\nc\\\\\nd"), (Outcome{"1:a\\\nb", "2:c\\\\", "3:d<end>"}));
    EXPECT_EQ(read({}, "a\\\\.\nb"), (Outcome{"1:a\\\\.", "2:b<end>"}));
    EXPECT_EQ(read({}, "a\nb\\"), (Outcome{"1:a", "2:b\\<end>"}));
}

TEST(LineReaderTest, endsAtTheMarker) {
    EXPECT_EQ(read({}, "a\n\\.\nb\n"), Outcome{"1:a"});
    EXPECT_EQ(read({}, "a\r\n\\.\r\nb"), Outcome{"1:a"});
    EXPECT_EQ(read({}, "a\r\\.\rb"), Outcome{"1:a"});
    EXPECT_EQ(read({}, "a\nb\\.\nc\n"), (Outcome{"1:a", "2:b"}));
    EXPECT_EQ(read({}, "\\.\n"), Outcome{});
}

TEST(LineReaderTest, readsOnInAFileBehindAMarkerThatFollowsData) {
    LineFormat file;
    file.from_client = false;
    EXPECT_EQ(read(file, "a\\.\nb\n"), (Outcome{"1:a", "2:b"}));
    EXPECT_EQ(read(file, "a\n\\.\nb\n"), Outcome{"1:a"});
}

TEST(LineReaderTest, refusesDamagedMarkers) {
    const std::string corrupt = "end-of-copy marker corrupt";
    const std::string mismatch = "end-of-copy marker does not match previous newline style";
    EXPECT_EQ(read({}, "a\n\\.b\n"), (Outcome{"1:a", "2!" + corrupt}));
    EXPECT_EQ(read({}, "a\n\\."), (Outcome{"1:a", "2!" + corrupt}));
    EXPECT_EQ(read({}, "a\r\n\\.\n"), (Outcome{"1:a", "2!" + mismatch}));
    EXPECT_EQ(read({}, "a\r\n\\.x\n"), (Outcome{"1:a", "2!" + corrupt}));
    EXPECT_EQ(read({}, "a\r\n\\.\r"), (Outcome{"1:a", "2!" + corrupt}));
    EXPECT_EQ(read({}, "a\n\\.\r"), (Outcome{"1:a", "2!" + mismatch}));
    EXPECT_EQ(read({}, "a\r\\.\n"), (Outcome{"1:a", "2!" + mismatch}));
}

TEST(LineReaderTest, keepsNewlinesInsideQuotes) {
    EXPECT_EQ(read(csv(), "a,\"b\nc\"\nd\n"), (Outcome{"1:a,\"b\nc\"", "2:d"}));
    EXPECT_EQ(read(csv(), "a,\"b\"\"\nc\"\nd"), (Outcome{"1:a,\"b\"\"\nc\"", "2:d<end>"}));
    EXPECT_EQ(read(csv(), "\"a"), Outcome{"1:\"a<end>"});
}

// PostgreSQL counts the kind of newline that it has seen, and carriage returns before it has.
TEST(LineReaderTest, countsQuotedLinesAsPostgresqlDoes) {
    EXPECT_EQ(read(csv(), "\"a\nb\"\n\"c\nd\"\ne\n"), (Outcome{"1:\"a\nb\"", "3:\"c\nd\"", "4:e"}));
    EXPECT_EQ(read(csv(), "\"a\r\nb\"\r\nc\r\n"), (Outcome{"2:\"a\r\nb\"", "3:c"}));
    LineReader reader(csv());
    std::string data = "\"\n\n\r\"\n";
    reader.set_input(data.data(), data.size(), true);
    ASSERT_EQ(reader.next(), Scan::kRecord);
    EXPECT_EQ(reader.record().quoted_lf, 2U);
    EXPECT_EQ(reader.record().quoted_cr, 1U);
}

TEST(LineReaderTest, knowsEscapesThatAreNotQuotes) {
    LineFormat format = csv();
    format.escape = '\\';
    EXPECT_EQ(read(format, "\"a\\\"\nb\"\nc\n"), (Outcome{"1:\"a\\\"\nb\"", "2:c"}));
    EXPECT_EQ(read(format, "\"a\\\\\"\nb\n"), (Outcome{"1:\"a\\\\\"", "2:b"}));
    EXPECT_EQ(read(format, "a\\\nb\n"), (Outcome{"1:a\\", "2:b"}));
}

TEST(LineReaderTest, knowsTheMarkerOfCsvOnlyAlone) {
    EXPECT_EQ(read(csv(), "a\n\\.\nb\n"), Outcome{"1:a"});
    EXPECT_EQ(read(csv(), "a\n\\.b\nc,\\.\n"), (Outcome{"1:a", "2:\\.b", "3:c,\\."}));
    EXPECT_EQ(read(csv(), "a\n\\."), (Outcome{"1:a", "2:\\.<end>"}));
    EXPECT_EQ(read(csv(), "a\n\\"), (Outcome{"1:a", "2:\\<end>"}));
    EXPECT_EQ(read(csv(), "a\r\n\\.x\r\n"), (Outcome{"1:a", "2:\\.x"}));
    EXPECT_EQ(read(csv(), "a\n\\.\r"),
              (Outcome{"1:a", "2!end-of-copy marker does not match previous newline style"}));
}

// However the data is cut into pieces, the records are the same.
TEST(LineReaderTest, doesNotDependOnTheSizeOfPieces) {
    std::mt19937 random(20240501);
    const std::string letters = "ab,\"\"\\\\\n\n\r.'";
    std::vector<LineFormat> formats(5);
    formats[1].from_client = false;
    formats[2] = csv();
    formats[3] = csv();
    formats[3].escape = '\\';
    formats[4] = csv();
    formats[4].quote = '\'';
    formats[4].escape = '\'';
    for (int round = 0; round < 4000; ++round) {
        std::string data;
        std::size_t size = random() % 24;
        while (data.size() < size) {
            data += letters[random() % letters.size()];
            if (random() % 5 == 0) {
                data += "\\.\n";
            }
            if (random() % 7 == 0) {
                data += "\r\n";
            }
        }
        for (const LineFormat& format : formats) {
            Outcome whole = read(format, data);
            for (std::size_t chunk = 1; chunk < 6; ++chunk) {
                ASSERT_EQ(read_in_chunks(format, data, chunk), whole) << data;
            }
        }
    }
}

}  // namespace
}  // namespace herd::copy
