// How a node divides the rows of a query by the nodes that own them: what the coordinator of an
// INSERT ... SELECT tells it, as a mark before the query's text, so that rows come in blocks that
// only have to be handed on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/shard_map.hpp"

namespace herd::routing {

// A field of the rows to be made: a column of the query, a value that all rows have, or NULL.
struct PackedField {
    int column = 0;  // from 1; 0: none
    bool has_value = false;
    std::string value;  // in binary

    bool operator==(const PackedField& other) const {
        return column == other.column && has_value == other.has_value && value == other.value;
    }
};

struct RowPacking {
    std::vector<PackedField> fields;
    int key = 0;  // the field that is the distribution key, from 1; 0: every row is for everyone
    unsigned int key_collation = 0;
    std::vector<std::int64_t> starts;  // first hashes of ranges, in ascending order
    std::vector<NodeId> owners;        // of each

    // The position in owners of the one with that hash.
    [[nodiscard]] std::size_t range_of(std::int64_t hash) const;
};

// Fields as text: what the parts of a plan need to remember.
std::string text_of_fields(const std::vector<PackedField>& fields);

// The mark; map: nullptr for rows that go everywhere.
std::string pack_mark(const std::string& fields, int key, unsigned int key_collation,
                      const ShardMap* map);
// Whether a text begins with one.
bool has_pack_mark(const char* text);
// What it says. Throws kInternalError for one that pack_mark has not made.
RowPacking read_pack_mark(const char* text);

}  // namespace herd::routing
