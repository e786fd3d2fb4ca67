#include "base/error.hpp"

#include <gtest/gtest.h>

#include <unordered_set>

#include "base/ids.hpp"

namespace herd {
namespace {

// The value that PostgreSQL's MAKE_SQLSTATE('5','7','P','0','3') has.
TEST(SqlStateTest, packsSixBitsPerCharacterAsPostgresDoes) {
    EXPECT_EQ(SqlState("57P03").code, 5 + (7 << 6) + (32 << 12) + (0 << 18) + (3 << 24));
    EXPECT_EQ(SqlState("00000").code, 0);
}

TEST(SqlStateTest, givesItsTextBack) {
    for (const char* text : {"00000", "XX000", "57P03", "HR001", "ZZZZZ"}) {
        EXPECT_STREQ(SqlState(text).text().data(), text);
    }
}

TEST(SqlStateTest, isMadeFromAPackedNumber) {
    EXPECT_EQ(SqlState(SqlState("22023").code), sqlstate::kInvalidParameter);
    EXPECT_NE(SqlState(), sqlstate::kInvalidParameter);
}

TEST(ErrorTest, keepsEveryField) {
    Error error(sqlstate::kKeyNotFound, "message");
    error.detail("detail").hint("hint").context("context").schema_name("schema");
    error.table_name("table").column_name("column").datatype_name("type").constraint_name("check");
    error.position(7).internal_query("SELECT", 3).context_is_complete();
    const Error copy = error;
    EXPECT_EQ(copy.state(), sqlstate::kKeyNotFound);
    EXPECT_EQ(copy.message(), "message");
    EXPECT_EQ(copy.detail(), "detail");
    EXPECT_EQ(copy.hint(), "hint");
    EXPECT_EQ(copy.context(), "context");
    EXPECT_EQ(copy.schema_name(), "schema");
    EXPECT_EQ(copy.table_name(), "table");
    EXPECT_EQ(copy.column_name(), "column");
    EXPECT_EQ(copy.datatype_name(), "type");
    EXPECT_EQ(copy.constraint_name(), "check");
    EXPECT_EQ(copy.position(), 7);
    EXPECT_EQ(copy.internal_query(), "SELECT");
    EXPECT_EQ(copy.internal_position(), 3);
    EXPECT_TRUE(copy.has_complete_context());
    EXPECT_STREQ(copy.what(), "message");
}

TEST(IdTest, comparesAndHashesByValue) {
    EXPECT_EQ(kCoordinator, NodeId{1});
    EXPECT_NE(NodeId{2}, NodeId{1});
    EXPECT_LT(ShardId{1}, ShardId{2});
    const std::unordered_set<NodeId> nodes{NodeId{1}, NodeId{2}, NodeId{1}};
    EXPECT_EQ(nodes.size(), 2U);
}

}  // namespace
}  // namespace herd
