// Writes the herd's catalogue: the only place besides herd.import_catalog that does. The caller
// holds the membership lock, and tells everyone (transaction::sync_catalog) when it is done.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/herd_catalog.hpp"
#include "model/shard_map.hpp"

namespace herd::catalog {

// A new group whose shards, equal ranges in ascending order, belong to the nodes given.
GroupId create_group(Oid key_type, Oid key_collation, const std::vector<NodeId>& owners);
// After its shards have changed: what the group's row says about them. Of all groups without one.
void note_owners(std::optional<GroupId> group = std::nullopt);
// Whether it has.
bool drop_group_if_unused(GroupId group);

void add_distributed_table(Oid relation, std::int16_t key_attnum, GroupId group);
void add_reference_table(Oid relation);
void drop_table(Oid relation);
// Nothing, if the function was not declared pushable.
void drop_pushable_function(Oid function);

// Gives every shard of the group that `from` owns to the nodes given, one after another.
void reassign_shards(GroupId group, NodeId from, const std::vector<NodeId>& owners);

NodeId add_node(const HerdNode& node, const Server& server, const std::string& data_directory);
void change_node(NodeId node, std::optional<bool> takes_shards, std::optional<double> weight);
void drop_node(NodeId node);

void record_event(const std::string& kind, const std::string& object, const std::string& detail);

}  // namespace herd::catalog
