// herd.require_own_row: what planner/row_guard.hpp puts into plans.
#include "catalog/herd_catalog.hpp"
#include "pg/guard.hpp"
#include "pg/key_hash.hpp"

extern "C" {
#include "utils/lsyscache.h"
#include "utils/memutils.h"
}

namespace {

// Found once per statement, which ends before the catalogue's copy goes away.
struct RowCheck {
    const herd::catalog::Catalog* herd;
    const herd::catalog::Table* table;
    herd::pg::KeyHasher hasher;
};

const RowCheck* find_check(::FunctionCallInfo fcinfo) {
    using namespace herd;
    const catalog::Catalog* herd = catalog::current();
    const catalog::Table* table =
        herd == nullptr || PG_ARGISNULL(0) ? nullptr : herd->find(PG_GETARG_OID(0));
    if (table == nullptr || table->group == nullptr) {
        throw Error(sqlstate::kWrongObjectType, "not a distributed table");
    }
    return pg::call([&] {
        auto* check =
            static_cast<RowCheck*>(::MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(RowCheck)));
        check->herd = herd;
        check->table = table;
        check->hasher =
            pg::key_hasher(::get_fn_expr_argtype(fcinfo->flinfo, 1), table->group->key_collation);
        fcinfo->flinfo->fn_extra = check;
        return check;
    });
}

[[noreturn]] void refuse_row(const RowCheck& check, herd::NodeId owner) {
    using namespace herd;
    auto name = [&](NodeId id) {
        const catalog::NodeEntry* node = check.herd->node(id);
        return '"' + (node == nullptr ? "?" : node->name) + '"';
    };
    const char* table = pg::call([&] { return ::get_rel_name(check.table->relid); });
    throw Error(sqlstate::kKeyUpdate, std::string("a row of table \"") + table +
                                          "\" would be stored on a node that does not own its key")
        .detail("The key belongs to node " + name(owner) + "; this is node " +
                name(check.herd->self) + '.')
        .hint(
            "Triggers may not change the distribution key. Clients write through the coordinator, "
            "or to the node that herd.node_of() names.");
}

}  // namespace

HERD_SQL_FUNCTION(herd_require_own_row) {
    const auto* check = static_cast<const RowCheck*>(fcinfo->flinfo->fn_extra);
    if (check == nullptr) {
        check = find_check(fcinfo);
    }
    std::int64_t hash = herd::pg::call([&] {
        bool isnull = PG_ARGISNULL(1);
        return herd::pg::hash_key(check->hasher, isnull ? Datum{0} : PG_GETARG_DATUM(1), isnull);
    });
    herd::NodeId owner = check->table->group->map.owner(hash).node;
    if (owner != check->herd->self) {
        refuse_row(*check, owner);
    }
    PG_RETURN_BOOL(true);
}
