#include "model/table_group.hpp"

#include <gtest/gtest.h>

namespace herd {
namespace {

TEST(TableGroupTest, acceptsKeysOfItsOwnTypeAndCollation) {
    const TableGroup group{GroupId{1}, 25, 100, Epoch{1}, {}};
    EXPECT_TRUE(group.accepts_key(25, 100));
    EXPECT_FALSE(group.accepts_key(20, 100));
    EXPECT_FALSE(group.accepts_key(25, 950));
}

TEST(TableGroupTest, countsShardsByOwner) {
    const TableGroup group{
        GroupId{1}, 20, 0, Epoch{1}, {OwnedShards{NodeId{1}, 3}, OwnedShards{NodeId{4}, 2}}};
    EXPECT_EQ(group.shards(), 5);
    EXPECT_EQ(group.shards_of(NodeId{4}), 2);
    EXPECT_EQ(group.shards_of(NodeId{2}), 0);
    EXPECT_FALSE(group.owned_only_by(NodeId{1}));
    const TableGroup own{GroupId{1}, 20, 0, Epoch{1}, {OwnedShards{NodeId{1}, 3}}};
    EXPECT_TRUE(own.owned_only_by(NodeId{1}));
    EXPECT_FALSE(own.owned_only_by(NodeId{2}));
}

TEST(DistributedTableTest, isAReferenceTableWithoutAKey) {
    DistributedTable table;
    EXPECT_EQ(table.kind(), TableKind::kReference);
    table.placement = {2, GroupId{1}};
    EXPECT_EQ(table.kind(), TableKind::kDistributed);
    EXPECT_EQ(static_cast<char>(table.kind()), 'd');
}

}  // namespace
}  // namespace herd
