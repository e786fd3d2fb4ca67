// Foreign keys of tables that are, or are to be, in several places.
#include <algorithm>

#include "api/table_checks.hpp"
#include "api/table_refusal.hpp"
#include "pg/guard.hpp"
#include "transaction/endpoint.hpp"

extern "C" {
#include "utils/lsyscache.h"
}

namespace herd::api {

namespace {

// A foreign key as seen from the referencing table.
struct ForeignKey {
    std::string name;
    Oid from = 0;  // roots of partitioned tables
    Oid to = 0;
    std::string from_name;
    std::string to_name;
    std::vector<std::string> from_columns;
    std::vector<std::string> to_columns;

    // The referencing column that is matched with that column of the referenced table.
    [[nodiscard]] std::optional<std::string> partner_of(const std::string& to_column) const {
        for (std::size_t i = 0; i < to_columns.size(); ++i) {
            if (to_columns[i] == to_column) {
                return from_columns[i];
            }
        }
        return {};
    }
};

std::vector<std::string> split_lines(const std::string& text) {
    std::vector<std::string> parts(1);
    for (char letter : text) {
        if (letter == '\n') {
            parts.emplace_back();
        } else {
            parts.back() += letter;
        }
    }
    return parts;
}

// Foreign keys of the table's tree, from it or to it; a partition's own stand for its root.
std::vector<ForeignKey> foreign_keys(Oid relation, bool incoming) {
    pg::Rows rows = ask(
        std::string(
            "SELECT conname, f.root, t.root, f.root::regclass, t.root::regclass, "
            "(SELECT string_agg(attname, E'\\n' ORDER BY o) FROM unnest(conkey) WITH ORDINALITY "
            " AS k(n, o) JOIN pg_attribute ON attrelid = conrelid AND attnum = n), "
            "(SELECT string_agg(attname, E'\\n' ORDER BY o) FROM unnest(confkey) WITH ORDINALITY "
            " AS k(n, o) JOIN pg_attribute ON attrelid = confrelid AND attnum = n) "
            "FROM " HERD_TREE " JOIN pg_constraint ON contype = 'f' AND conparentid = 0 AND ") +
            (incoming ? "confrelid" : "conrelid") +
            " = tree.relid, "
            "LATERAL (SELECT coalesce(pg_partition_root(conrelid)::oid, conrelid) AS root) f, "
            "LATERAL (SELECT coalesce(pg_partition_root(confrelid)::oid, confrelid) AS root) t "
            "ORDER BY conname",
        {id(relation)});
    std::vector<ForeignKey> keys;
    for (const pg::Row& row : rows) {
        ForeignKey key;
        key.name = *row[0];
        key.from = static_cast<Oid>(std::stoul(*row[1]));
        key.to = static_cast<Oid>(std::stoul(*row[2]));
        key.from_name = *row[3];
        key.to_name = *row[4];
        key.from_columns = split_lines(row[5].value_or(""));
        key.to_columns = split_lines(row[6].value_or(""));
        keys.push_back(std::move(key));
    }
    return keys;
}

std::string key_name(const catalog::Table& table) {
    return pg::call([&] {
        return static_cast<const char*>(::get_attname(table.root, table.key_attnum, false));
    });
}

[[noreturn]] void refuse_mismatch(const Candidate& candidate, const ForeignKey& key,
                                  const std::string& to_key) {
    refuse(candidate.table,
           "Its foreign key \"" + key.name + "\" does not match the key column \"" +
               candidate.key.name + "\" with \"" + to_key + "\", the key of " + key.to_name +
               ": the referenced row may be on another node.",
           "Add both columns to the foreign key, or make " + key.to_name +
               " a reference table, or drop the constraint.");
}

void check_outgoing(const Candidate& candidate, const ForeignKey& key,
                    const std::vector<Candidate>& together, std::optional<GroupId> group) {
    for (const Candidate& other : together) {
        if (other.table.relation == key.to) {
            if (key.partner_of(other.key.name) != candidate.key.name) {
                refuse_mismatch(candidate, key, other.key.name);
            }
            return;
        }
    }
    const catalog::Table* target = transaction::require_herd().find(key.to);
    if (target == nullptr) {
        refuse(candidate.table,
               "Its foreign key \"" + key.name + "\" references the local table " + key.to_name +
                   ", whose rows are on the coordinator only.",
               "SELECT herd.reference('" + key.to_name + "') first; or distribute " + key.to_name +
                   " by the referenced column, and this table follows.");
    }
    if (target->kind == TableKind::kReference) {
        return;
    }
    if (!group || target->group->id != *group) {
        refuse(candidate.table,
               "Its foreign key \"" + key.name + "\" references the distributed table " +
                   key.to_name + ", with which it would not be co-located.",
               "herd.distribute(..., colocate_with => '" + key.to_name + "')");
    }
    if (key.partner_of(key_name(*target)) != candidate.key.name) {
        refuse_mismatch(candidate, key, key_name(*target));
    }
}

}  // namespace

std::vector<Follower> followers_of(const Candidate& candidate) {
    const catalog::Catalog& herd = transaction::require_herd();
    std::vector<Follower> followers;
    for (const ForeignKey& key : foreign_keys(candidate.table.relation, true)) {
        if (key.from == candidate.table.relation || herd.find(key.from) != nullptr) {
            continue;
        }
        std::optional<std::string> column = key.partner_of(candidate.key.name);
        if (!column) {
            refuse(candidate.table,
                   "The local table " + key.from_name + " references it by the foreign key \"" +
                       key.name + "\", which does not contain the key column \"" +
                       candidate.key.name + "\".",
                   "Add the key column to that foreign key, or drop it: ALTER TABLE " +
                       key.from_name + " DROP CONSTRAINT " + pg::quote_identifier(key.name) + ".");
        }
        followers.push_back({key.from, *column});
    }
    return followers;
}

void check_foreign_keys(const Candidate& candidate, const std::vector<Candidate>& together,
                        std::optional<GroupId> group) {
    for (const ForeignKey& key : foreign_keys(candidate.table.relation, false)) {
        check_outgoing(candidate, key, together, group);
    }
}

void check_reference_foreign_keys(const TableFacts& table) {
    for (const ForeignKey& key : foreign_keys(table.relation, false)) {
        const catalog::Table* target = transaction::require_herd().find(key.to);
        bool fine = key.to == table.relation ||
                    (target != nullptr && target->kind == TableKind::kReference);
        if (!fine) {
            throw Error(sqlstate::kNotDistributable,
                        "table " + table.name + " can't be a reference table as it is")
                .detail("Its foreign key \"" + key.name + "\" references " + key.to_name +
                        ", whose rows are not on every node.")
                .hint("SELECT herd.reference('" + key.to_name +
                      "') first, or drop the constraint.");
        }
    }
}

std::vector<Oid> tied_tables(Oid relation) {
    const catalog::Catalog& herd = transaction::require_herd();
    std::vector<Oid> found = {relation};
    for (std::size_t next = 0; next < found.size(); ++next) {
        for (bool incoming : {false, true}) {
            for (const ForeignKey& key : foreign_keys(found[next], incoming)) {
                Oid other = incoming ? key.from : key.to;
                const catalog::Table* table = herd.find(other);
                if (table != nullptr && table->kind == TableKind::kDistributed &&
                    std::find(found.begin(), found.end(), other) == found.end()) {
                    found.push_back(other);
                }
            }
        }
    }
    return found;
}

}  // namespace herd::api
