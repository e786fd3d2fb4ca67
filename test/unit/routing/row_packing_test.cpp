#include "routing/row_packing.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace herd::routing {
namespace {

ShardMap three_nodes() {
    std::vector<HashRange> ranges = split_evenly(6);
    std::vector<Shard> shards;
    const int owners[] = {2, 2, 3, 1, 1, 3};
    for (int i = 0; i < 6; ++i) {
        shards.push_back({ShardId{i + 1}, ranges[static_cast<std::size_t>(i)], NodeId{owners[i]}});
    }
    return ShardMap(shards);
}

TEST(RowPackingTest, aMarkSaysWhatItWasMadeOf) {
    std::vector<PackedField> fields = {
        {3, false, ""}, {0, false, ""}, {0, true, std::string("\0\xff:;", 4)}, {0, true, ""}};
    ShardMap map = three_nodes();
    std::string mark = pack_mark(text_of_fields(fields), 1, 100, &map);
    std::string text = mark + "SELECT 1";
    ASSERT_TRUE(has_pack_mark(text.c_str()));
    RowPacking packing = read_pack_mark(text.c_str());
    EXPECT_EQ(packing.fields, fields);
    EXPECT_EQ(packing.key, 1);
    EXPECT_EQ(packing.key_collation, 100U);
    EXPECT_EQ(packing.owners.size(), 4U) << "neighbours with one owner are one range";
}

TEST(RowPackingTest, everyHashHasTheOwnerThatTheMapGivesIt) {
    ShardMap map = three_nodes();
    RowPacking packing = read_pack_mark(pack_mark("1", 1, 0, &map).c_str());
    std::vector<std::int64_t> hashes = {kHashMin, kHashMin + 1, -1, 0, 1, kHashMax - 1, kHashMax};
    for (const Shard& shard : map.shards()) {
        hashes.push_back(shard.range.min);
        hashes.push_back(shard.range.max);
    }
    for (std::int64_t hash : hashes) {
        EXPECT_EQ(packing.owners[packing.range_of(hash)], map.owner(hash).node) << hash;
    }
}

TEST(RowPackingTest, rowsForEveryoneHaveNoOwners) {
    RowPacking packing = read_pack_mark(pack_mark("1 2", 0, 0, nullptr).c_str());
    EXPECT_EQ(packing.key, 0);
    EXPECT_TRUE(packing.owners.empty());
    EXPECT_EQ(packing.fields.size(), 2U);
}

TEST(RowPackingTest, otherTextsHaveNoMark) {
    EXPECT_FALSE(has_pack_mark(nullptr));
    EXPECT_FALSE(has_pack_mark("SELECT 1"));
    EXPECT_FALSE(has_pack_mark("/*herd partial*/ SELECT 1"));
}

TEST(RowPackingTest, aDamagedMarkIsAnError) {
    for (const char* text : {"/*herd pack 1", "/*herd pack 1 0;1", "/*herd pack 1 0;1;5",
                             "/*herd pack 1 0;1;5:2", "/*herd pack 0 0;x0;*/"}) {
        EXPECT_THROW((void)read_pack_mark(text), Error) << text;
    }
}

}  // namespace
}  // namespace herd::routing
