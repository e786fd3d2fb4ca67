#include "executor/moved_rows.hpp"

#include "executor/as_role.hpp"
#include "pg/local_only.hpp"
#include "pg/spi.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "catalog/pg_authid.h"
}

namespace herd::executor {

namespace {

constexpr const char* kReferences = R"(
    SELECT pg_catalog.format('SELECT t.ctid FROM %I.%I t JOIN %I.%I c ON ', pn.nspname, p.relname,
                             cn.nspname, c.relname) || pg_catalog.string_agg(pg_catalog.format(
                             't.%I OPERATOR(%I.%s) c.%I', pa.attname, onsp.nspname, o.oprname,
                             ca.attname), ' AND ' ORDER BY u.position),
           p.relname, c.relname, k.conname, k.confupdtype IN ('c', 'n', 'd')
    FROM pg_catalog.pg_constraint k
        JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
        JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
        JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
        JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
        CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.confkey), pg_catalog.unnest(k.conkey),
            pg_catalog.unnest(k.conpfeqop)) WITH ORDINALITY u(parent, child, operator, position)
        JOIN pg_catalog.pg_attribute pa ON pa.attrelid = p.oid AND pa.attnum = u.parent
        JOIN pg_catalog.pg_attribute ca ON ca.attrelid = c.oid AND ca.attnum = u.child
        JOIN pg_catalog.pg_operator o ON o.oid = u.operator
        JOIN pg_catalog.pg_namespace onsp ON onsp.oid = o.oprnamespace
    WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = $1::oid
    GROUP BY k.oid, pn.nspname, p.relname, cn.nspname, c.relname, k.conname, k.confupdtype
    ORDER BY k.conname)";

[[noreturn]] void refuse_move(const Reference& reference) {
    if (!reference.follows) {
        throw Error(SqlState{"23503"}, "update or delete on table \"" + reference.table +
                                           "\" violates foreign key constraint \"" +
                                           reference.name + "\" on table \"" + reference.child +
                                           '"')
            .detail("The key is still referenced from table \"" + reference.child + "\".");
    }
    throw Error(sqlstate::kKeyUpdate, "cannot update the distribution key of table \"" +
                                          reference.table +
                                          "\" where the row would move to another node")
        .detail("Rows of table \"" + reference.child + "\" reference it by foreign key \"" +
                reference.name + "\", and would have to move with it.")
        .hint("Insert the row with its new key, update \"" + reference.child +
              "\" to reference it, and delete the old row, in one transaction.");
}

}  // namespace

std::vector<Reference> references_to(unsigned int relid) {
    std::vector<Reference> references;
    for (const pg::Row& row : pg::query(kReferences, {std::to_string(relid)})) {
        references.push_back({*row[0], *row[1], *row[2], *row[3], row[4] == "t"});
    }
    return references;
}

void require_unreferenced(const std::vector<Reference>& references, std::optional<NodeId> node,
                          const std::string& places) {
    // Whoever may change the row need not be allowed to read those that reference it.
    AsUser as(BOOTSTRAP_SUPERUSERID);
    for (const Reference& reference : references) {
        std::string query =
            reference.query + " WHERE (t.ctid, t.tableoid) IN (VALUES " + places + ") LIMIT 1";
        pg::LocalOnly local;
        pg::Rows rows = node ? transaction::run(*node, query, false) : pg::query(query);
        if (!rows.empty()) {
            refuse_move(reference);
        }
    }
}

}  // namespace herd::executor
