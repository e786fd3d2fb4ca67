#include "model/prepared_id.hpp"

#include <gtest/gtest.h>

namespace herd {
namespace {

constexpr const char* kCluster = "9b4e0f1e-4c4d-4a55-9d0e-1f6c1f0a7b11";

TEST(PreparedId, ReadsWhatItWrote) {
    PreparedId id{kCluster, 7, NodeId{3}, 18446744073709551615U, 12345678901234567890U};
    std::optional<PreparedId> read = parse_prepared_id(id.text());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->cluster_id, kCluster);
    EXPECT_EQ(read->term, 7);
    EXPECT_EQ(read->node, NodeId{3});
    EXPECT_EQ(read->xid, 18446744073709551615U);
    EXPECT_EQ(read->run, 12345678901234567890U);
    EXPECT_EQ(id.text().rfind(prepared_id_prefix(kCluster), 0), 0U);
    EXPECT_LT(id.text().size(), 200U) << "PostgreSQL's limit";
}

TEST(PreparedId, OthersPreparedTransactionsAreNotRead) {
    std::string good = PreparedId{kCluster, 1, NodeId{2}, 5, 6}.text();
    EXPECT_FALSE(parse_prepared_id(""));
    EXPECT_FALSE(parse_prepared_id("my transfer"));
    EXPECT_FALSE(parse_prepared_id("herd:"));
    EXPECT_FALSE(parse_prepared_id("herd:x:1:2:3"));
    EXPECT_FALSE(parse_prepared_id("herd:x:1:2:3:"));
    EXPECT_FALSE(parse_prepared_id("herd:x:1:2:3:z"));
    EXPECT_FALSE(parse_prepared_id("herd:x:one:2:3:4"));
    EXPECT_FALSE(parse_prepared_id("herd:x:1:2:-3:4"));
    EXPECT_FALSE(parse_prepared_id(good + ":1"));
    EXPECT_FALSE(parse_prepared_id(good + " "));
    EXPECT_FALSE(parse_prepared_id("herd:x:01:2:3:4")) << "one number, one form";
    EXPECT_FALSE(parse_prepared_id("herd:x:1:2:99999999999999999999:4"));
}

}  // namespace
}  // namespace herd
