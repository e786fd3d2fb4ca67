#include "copy/field_reader.hpp"

#include <gtest/gtest.h>

#include <random>

#include "base/error.hpp"

namespace herd::copy {
namespace {

constexpr const char* kNull = "<null>";
constexpr const char* kMissing = "<missing>";

std::string field(const FieldFormat& format, int index, const std::string& line) {
    FieldReader reader(format, index);
    switch (reader.read(line)) {
        case Field::kMissing:
            return kMissing;
        case Field::kNull:
            return kNull;
        default:
            return std::string(reader.value());
    }
}

FieldFormat csv() {
    FieldFormat format;
    format.csv = true;
    format.delimiter = ',';
    format.null_text = "";
    return format;
}

TEST(FieldReaderTest, findsFieldsOfText) {
    EXPECT_EQ(field({}, 0, "a\tb\tc"), "a");
    EXPECT_EQ(field({}, 1, "a\tb\tc"), "b");
    EXPECT_EQ(field({}, 2, "a\tb\tc"), "c");
    EXPECT_EQ(field({}, 3, "a\tb\tc"), kMissing);
    EXPECT_EQ(field({}, 1, "a\t"), "");
    EXPECT_EQ(field({}, 0, ""), "");
    EXPECT_EQ(field({}, 1, "a\\\tb\tc"), "c");
}

TEST(FieldReaderTest, undoesEscapesOfText) {
    EXPECT_EQ(field({}, 0, "a\\tb\\nc\\rd\\be\\ff\\vg"), "a\tb\nc\rd\be\ff\vg");
    EXPECT_EQ(field({}, 0, "\\101\\1012\\60x\\7"), "AA20x\a");
    EXPECT_EQ(field({}, 0, "\\x41\\x4g\\xg\\x"), "A\x04gxgx");
    EXPECT_EQ(field({}, 0, "\\xaB\\xFf"), "\xab\xff");
    EXPECT_EQ(field({}, 0, "a\\\tb\\\\\\q"), "a\tb\\q");
    EXPECT_EQ(field({}, 0, "a\\"), "a");
}

TEST(FieldReaderTest, comparesTheNullTextBeforeEscapes) {
    EXPECT_EQ(field({}, 1, "a\t\\N"), kNull);
    EXPECT_EQ(field({}, 0, "\\\\N"), "\\N");
    EXPECT_EQ(field({}, 0, "\\Nx"), "Nx");
    FieldFormat format;
    format.null_text = "nil";
    EXPECT_EQ(field(format, 0, "nil"), kNull);
    EXPECT_EQ(field(format, 0, "\\x6eil"), "nil");
}

TEST(FieldReaderTest, findsFieldsOfCsv) {
    EXPECT_EQ(field(csv(), 0, "a,b"), "a");
    EXPECT_EQ(field(csv(), 1, "\"a,b\",c"), "c");
    EXPECT_EQ(field(csv(), 0, "\"a \"\"b\"\" c\",d"), "a \"b\" c");
    EXPECT_EQ(field(csv(), 0, "x\"a,b\"y\"c\",d"), "xa,byc");
    EXPECT_EQ(field(csv(), 1, "a,\"b\nc\""), "b\nc");
    EXPECT_EQ(field(csv(), 2, "a,b"), kMissing);
    EXPECT_EQ(field(csv(), 0, "\"a"), kMissing);
    EXPECT_EQ(field(csv(), 1, "\"a,b"), kMissing);
}

TEST(FieldReaderTest, knowsEscapesOfCsv) {
    FieldFormat format = csv();
    format.escape = '\\';
    EXPECT_EQ(field(format, 0, "\"a\\\"b\\\\c\\d\""), "a\"b\\c\\d");
    EXPECT_EQ(field(format, 0, "\"a\\"), kMissing);
}

TEST(FieldReaderTest, forcesNullOrNot) {
    FieldFormat format = csv();
    EXPECT_EQ(field(format, 0, ",x"), kNull);
    EXPECT_EQ(field(format, 0, "\"\",x"), "");
    format.force_null = true;
    EXPECT_EQ(field(format, 0, "\"\",x"), kNull);
    EXPECT_EQ(field(format, 0, "a"), "a");
    format.force_null = false;
    format.force_not_null = true;
    EXPECT_EQ(field(format, 0, ",x"), "");
}

// What is written is read back, whatever is in it.
TEST(FieldReaderTest, readsBackWhatIsAppended) {
    std::mt19937 random(7);
    const std::string letters = "ab,\"\\\n\r\tN|x41";
    std::vector<FieldFormat> formats{{}, csv(), csv(), {}};
    formats[2].escape = '\\';
    formats[2].null_text = "N";
    formats[3].delimiter = '|';
    formats[3].null_text = "ab";
    for (int round = 0; round < 20000; ++round) {
        std::string value;
        for (std::size_t size = random() % 6; value.size() < size;) {
            value += letters[random() % letters.size()];
        }
        for (const FieldFormat& format : formats) {
            std::string line = "first";
            line += format.delimiter;
            append_field(line, format, value);
            line += format.delimiter;
            line += "last";
            ASSERT_EQ(field(format, 1, line), value) << line;
            ASSERT_EQ(field(format, 2, line), "last") << line;
        }
    }
}

TEST(FieldReaderTest, cannotWriteAnEmptyValueWhereThatIsNull) {
    FieldFormat format;
    format.null_text = "";
    std::string line;
    EXPECT_THROW(append_field(line, format, ""), Error);
    append_field(line, format, "x");
    EXPECT_EQ(line, "x");
}

}  // namespace
}  // namespace herd::copy
