#include "copy/copy_hook.hpp"

#include "catalog/own_row.hpp"
#include "copy/checked_insert.hpp"
#include "copy/copy_from.hpp"
#include "copy/copy_to.hpp"
#include "pg/local_only.hpp"
#include "transaction/internal.hpp"

extern "C" {
#include "access/table.h"
#include "catalog/namespace.h"
#include "utils/rel.h"
}

namespace herd::copy {

namespace {

// The table as the herd knows it, if some of its rows are, or must be, on other nodes.
const catalog::Table* spread_table(const catalog::Catalog& herd, Oid relid) {
    const catalog::Table* table = herd.find(relid);
    if (table == nullptr) {
        return nullptr;
    }
    bool here_only =
        table->kind == TableKind::kReference ? herd.other_nodes().empty() : table->group->all_here;
    return here_only ? nullptr : table;
}

const catalog::Catalog* active_herd() {
    const catalog::Catalog* herd = catalog::current();
    bool active = herd != nullptr && !herd->tables.empty() && !pg::local_only();
    return active ? herd : nullptr;
}

// Rows that come to this node: from the coordinator, which has chosen the owner before triggers
// could change the key, or from a client that has connected to the node by itself.
bool copy_in_here(const ::CopyStmt* statement, const char* query_string, std::uint64_t* rows) {
    CopyPlan plan;
    pg::call([&] { make_plan(plan, statement, query_string); });
    Oid relid = RelationGetRelid(plan.relation);
    const catalog::Catalog* herd = catalog::current();
    const catalog::Table* table = herd == nullptr ? nullptr : spread_table(*herd, relid);
    bool from_client = !transaction::is_internal_session();
    bool checked = pg::call([&] {
        bool needs = table != nullptr && table->kind == TableKind::kDistributed &&
                     (from_client || catalog::triggers_may_change_rows(relid));
        if (needs) {
            ::CopyFromState state = ::BeginCopyFrom(
                plan.parse_state, plan.relation, reinterpret_cast<::Node*>(plan.where),
                statement->filename, statement->is_program, nullptr, statement->attlist,
                statement->options);
            *rows = insert_checked(state, *herd);
            ::EndCopyFrom(state);
        }
        ::table_close(plan.relation, NoLock);
        return needs;
    });
    return checked;
}

bool copy_in(const ::CopyStmt* statement, const char* query_string, std::uint64_t* rows) {
    CopyPlan plan;
    pg::call([&] { make_plan(plan, statement, query_string); });
    // With the lock, the table and its shards are what they are until the end of the transaction.
    const catalog::Catalog* herd = catalog::current();
    const catalog::Table* table =
        herd == nullptr ? nullptr : spread_table(*herd, RelationGetRelid(plan.relation));
    if (table != nullptr) {
        plan.is_reference = table->kind == TableKind::kReference;
        *rows = copy_from(plan, *table, *herd);
    }
    pg::call([&] { ::table_close(plan.relation, NoLock); });
    return table != nullptr;
}

bool run(const ::PlannedStmt* planned, const char* query_string, ::QueryCompletion* completion) {
    const auto* statement = reinterpret_cast<const ::CopyStmt*>(planned->utilityStmt);
    if (statement->relation == nullptr) {
        return false;
    }
    const catalog::Catalog* herd = active_herd();
    if (herd == nullptr) {
        return false;
    }
    Oid relid = pg::call([&] { return RangeVarGetRelid(statement->relation, NoLock, true); });
    const catalog::Table* table = spread_table(*herd, relid);
    if (table == nullptr) {
        return false;
    }
    std::uint64_t rows = 0;
    bool on_node = !herd->is_coordinator() || transaction::is_internal_session();
    // Read as a query, which leaves out what this node does not own.
    bool filtered_out = on_node && !statement->is_from && catalog::needs_filter(*table);
    if (on_node && !filtered_out) {
        if (!statement->is_from || !copy_in_here(statement, query_string, &rows)) {
            return false;
        }
    } else if (statement->is_from) {
        if (!copy_in(statement, query_string, &rows)) {
            return false;
        }
    } else {
        CopiedOut out;
        if (table->kind == TableKind::kDistributed) {
            out = copy_to(planned, query_string);
        }
        if (!out.done) {
            return false;
        }
        rows = out.rows;
    }
    if (completion != nullptr) {
        SetQueryCompletion(completion, CMDTAG_COPY, rows);
    }
    return true;
}

}  // namespace

bool handle_copy(::PlannedStmt* planned, const char* query_string, ::ProcessUtilityContext,
                 ::ParamListInfo, ::QueryCompletion* completion) {
    return pg::enter("COPY", [&] { return run(planned, query_string, completion); });
}

}  // namespace herd::copy
