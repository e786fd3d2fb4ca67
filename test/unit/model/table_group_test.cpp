#include "model/table_group.hpp"

#include <gtest/gtest.h>

#include "support/maps.hpp"

namespace herd {
namespace {

TEST(TableGroupTest, acceptsKeysOfItsOwnTypeAndCollation) {
    const TableGroup group{GroupId{1}, 25, 100, test::even_map(1, {1})};
    EXPECT_TRUE(group.accepts_key(25, 100));
    EXPECT_FALSE(group.accepts_key(20, 100));
    EXPECT_FALSE(group.accepts_key(25, 950));
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
