#include "catalog/decision.hpp"

#include "pg/guard.hpp"
#include "pg/server_run.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/xid8.h"
}

namespace herd::catalog {

namespace {

constexpr int kColumns = 3;

void insert_row(::Relation relation, std::uint64_t xid, NodeId node) {
    Datum values[kColumns] = {
        FullTransactionIdGetDatum(FullTransactionIdFromU64(static_cast<uint64>(xid))),
        Int32GetDatum(node.value), Int64GetDatum(pg::server_run())};
    bool nulls[kColumns] = {};
    ::HeapTuple tuple = ::heap_form_tuple(RelationGetDescr(relation), values, nulls);
    ::CatalogTupleInsert(relation, tuple);
    ::heap_freetuple(tuple);
}

}  // namespace

void record_decision(std::uint64_t xid, const std::vector<NodeId>& nodes) {
    ::Relation relation = pg::call([] {
        Oid schema = ::get_namespace_oid("herd", false);
        return ::table_open(::get_relname_relid("dist_transaction", schema), RowExclusiveLock);
    });
    for (NodeId node : nodes) {
        pg::call([&] { insert_row(relation, xid, node); });
    }
    pg::call([&] { ::table_close(relation, NoLock); });
}

std::map<NodeId, std::vector<std::uint64_t>> recorded_decisions() {
    std::map<NodeId, std::vector<std::uint64_t>> found;
    for (const pg::Row& row :
         pg::query("SELECT node_id, xid FROM herd.dist_transaction LIMIT 20000")) {
        found[NodeId(std::stoi(row[0].value()))].push_back(std::stoull(row[1].value()));
    }
    return found;
}

bool is_recorded(const PreparedId& id) {
    return !pg::query(
                "SELECT FROM herd.dist_transaction WHERE xid = $1::pg_catalog.xid8 "
                "AND node_id = $2::pg_catalog.int4 AND run = $3::pg_catalog.int8",
                {std::to_string(id.xid), std::to_string(id.node.value), std::to_string(id.run)})
                .empty();
}

void forget_decisions(NodeId node, const std::vector<std::uint64_t>& xids) {
    std::string list;
    for (std::uint64_t xid : xids) {
        list += (list.empty() ? "{" : ",") + std::to_string(xid);
    }
    if (!list.empty()) {
        pg::query(
            "DELETE FROM herd.dist_transaction WHERE node_id = $1::pg_catalog.int4 "
            "AND xid = ANY ($2::pg_catalog.xid8[])",
            {std::to_string(node.value), list + "}"});
    }
}

TransactionStatus transaction_status(std::uint64_t xid) {
    std::uint64_t next =
        U64FromFullTransactionId(pg::call([] { return ::ReadNextFullTransactionId(); }));
    if (xid >= next) {
        return xid - next < kMostNumbersLost ? TransactionStatus::kNotGiven
                                             : TransactionStatus::kUnknown;
    }
    pg::Field status = pg::query_value("SELECT pg_catalog.pg_xact_status($1::pg_catalog.xid8)",
                                       {std::to_string(xid)});
    if (!status) {
        return TransactionStatus::kUnknown;
    }
    return *status == "in progress" ? TransactionStatus::kInProgress
           : *status == "committed" ? TransactionStatus::kCommitted
                                    : TransactionStatus::kAborted;
}

}  // namespace herd::catalog
