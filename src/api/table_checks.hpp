// Whether a table can be distributed, or become a reference table: reasons and ways out.
//
// PostgreSQL keeps unique constraints and foreign keys within one server, so each must be decidable
// from the rows that one node holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalog/herd_catalog.hpp"

namespace herd::api {

struct TableFacts {
    catalog::Oid relation = 0;
    std::string name;  // qualified where it has to be, quoted
    bool has_rows = false;
};

struct KeyColumn {
    std::string name;
    std::int16_t number = 0;
    catalog::Oid type = 0;  // a domain's base type
    catalog::Oid collation = 0;
};

// A table on its way to being distributed.
struct Candidate {
    TableFacts table;
    KeyColumn key;
};

// Locks the table against everyone, and checks that the caller owns it and that it is an ordinary
// or partitioned table that can be on several servers. Errors: kNotDistributable,
// kInsufficientPrivilege.
TableFacts open_table(catalog::Oid relation);

// Errors: 42703 no such column; kNotDistributable for one that can't place rows.
KeyColumn key_column(const TableFacts& table, const std::string& name);

// Unique and exclusion constraints must contain the key.
void check_unique_constraints(const Candidate& candidate);

// Local tables that reference the candidate by its key, with the referencing column as their key.
// Throws kNotDistributable for one that references it otherwise.
struct Follower {
    catalog::Oid relation = 0;
    std::string key;
};
std::vector<Follower> followers_of(const Candidate& candidate);

// Foreign keys of the candidate: to reference tables, or to tables of the same group or the same
// call with the keys matched. `group` is the one it joins, if there is one yet.
void check_foreign_keys(const Candidate& candidate, const std::vector<Candidate>& together,
                        std::optional<GroupId> group);

// A reference table may reference reference tables only.
void check_reference_foreign_keys(const TableFacts& table);

// The tables of the herd that foreign keys tie to this one, either way, over any number of steps.
std::vector<catalog::Oid> tied_tables(catalog::Oid relation);

}  // namespace herd::api
