#include "copy/line_map.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace herd::copy {
namespace {

TEST(LineMapTest, findsTheLineOfTheFile) {
    LineMap lines;
    EXPECT_FALSE(lines.client_line(1));
    lines.add(1, 2);
    lines.add(2, 3);
    lines.add(3, 500);
    EXPECT_EQ(lines.client_line(1), 2U);
    EXPECT_EQ(lines.client_line(2), 3U);
    EXPECT_EQ(lines.client_line(3), 500U);
    EXPECT_FALSE(lines.client_line(4));
    EXPECT_FALSE(lines.client_line(0));
    lines.clear();
    EXPECT_FALSE(lines.client_line(1));
    lines.add(1, 9);
    EXPECT_EQ(lines.client_line(1), 9U);
}

TEST(LineMapTest, knowsRecordsOfSeveralLines) {
    LineMap lines;
    lines.add(3, 13);  // three lines, the file's 11 to 13
    lines.add(4, 20);
    EXPECT_EQ(lines.client_line(1), 11U);
    EXPECT_EQ(lines.client_line(2), 12U);
    EXPECT_EQ(lines.client_line(3), 13U);
    EXPECT_EQ(lines.client_line(4), 20U);
    LineMap shorter;
    shorter.add(5, 2);  // the file counts fewer of them
    EXPECT_EQ(shorter.client_line(1), 1U);
    EXPECT_EQ(shorter.client_line(5), 2U);
}

TEST(LineMapTest, remembersManyLinesAndForgetsTheOldest) {
    LineMap lines;
    std::mt19937 random(3);
    std::vector<std::uint64_t> expected{0};
    std::uint64_t client = 0;
    constexpr std::uint64_t kLines = 300'000;
    for (std::uint64_t own = 1; own <= kLines; ++own) {
        client += 1 + random() % 100;
        expected.push_back(client);
        lines.add(own, client);
    }
    for (std::uint64_t own = 1; own <= kLines; own += 997) {
        ASSERT_EQ(lines.client_line(own), expected[own]);
    }
    constexpr std::uint64_t kMore = 17'000'000;
    for (std::uint64_t own = kLines + 1; own <= kLines + kMore; ++own) {
        lines.add(own, ++client);
    }
    EXPECT_FALSE(lines.client_line(1));
    EXPECT_EQ(lines.client_line(kLines + kMore), client);
}

TEST(LineMapTest, putsTheFilesLinesIntoContexts) {
    LineMap lines;
    lines.add(1, 41);
    lines.add(2, 42);
    MappedContext mapped = map_context("COPY t, line 2, column a: \"7\"", "t", lines);
    EXPECT_EQ(mapped.text, "COPY t, line 42, column a: \"7\"");
    EXPECT_EQ(mapped.line, 42U);
    mapped = map_context("PL/pgSQL function f() line 1 at RAISE\nCOPY t, line 1\non node \"n1\"",
                         "t", lines);
    EXPECT_EQ(mapped.text,
              "PL/pgSQL function f() line 1 at RAISE\nCOPY t, line 41\non node \"n1\"");
    EXPECT_EQ(mapped.line, 41U);
}

TEST(LineMapTest, leavesOtherContextsAlone) {
    LineMap lines;
    lines.add(1, 41);
    for (const char* text : {"", "COPY other, line 1", "SQL function \"f\" statement 1", "COPY t",
                             "COPY t, line 99", "COPY t, line 99999999999999999999999999"}) {
        MappedContext mapped = map_context(text, "t", lines);
        EXPECT_EQ(mapped.text, text);
        EXPECT_FALSE(mapped.line);
    }
}

TEST(LineMapTest, knowsLanguagesThatNameTheRelationFirst) {
    LineMap lines;
    lines.add(1, 41);
    EXPECT_EQ(map_context("t9のCOPY、行1", "t9", lines).text, "t9のCOPY、行41");
}

}  // namespace
}  // namespace herd::copy
