#include "catalog/decision.hpp"

#include <sstream>

#include "pg/guard.hpp"
#include "pg/server_run.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_type_d.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/xid8.h"
}

namespace herd::catalog {

namespace {

constexpr int kColumns = 3;

// By the order of the table's columns; it has no index, since it is read as a whole.
void insert_row(::Relation relation, std::uint64_t xid, Datum* nodes, int count) {
    ::ArrayType* array =
        ::construct_array(nodes, count, INT4OID, sizeof(std::int32_t), true, TYPALIGN_INT);
    Datum values[kColumns] = {
        FullTransactionIdGetDatum(FullTransactionIdFromU64(static_cast<uint64>(xid))),
        Int64GetDatum(pg::server_run()), PointerGetDatum(array)};
    bool nulls[kColumns] = {};
    ::HeapTuple tuple = ::heap_form_tuple(RelationGetDescr(relation), values, nulls);
    ::CatalogTupleInsert(relation, tuple);
    ::heap_freetuple(tuple);
    ::pfree(array);
}

// Of "{1,2,3}".
std::vector<NodeId> nodes_in(const std::string& array) {
    std::vector<NodeId> nodes;
    std::istringstream numbers(array.substr(1));
    for (int number = 0; numbers >> number; numbers.get()) {
        nodes.emplace_back(number);
    }
    return nodes;
}

}  // namespace

void record_decision(std::uint64_t xid, const std::vector<NodeId>& nodes) {
    std::vector<Datum> numbers;
    for (NodeId node : nodes) {
        numbers.push_back(Int32GetDatum(node.value));
    }
    pg::call([&] {
        Oid schema = ::get_namespace_oid("herd", false);
        ::Relation relation =
            ::table_open(::get_relname_relid("dist_transaction", schema), RowExclusiveLock);
        insert_row(relation, xid, numbers.data(), static_cast<int>(numbers.size()));
        ::table_close(relation, NoLock);
    });
}

std::vector<Decision> recorded_decisions() {
    std::vector<Decision> found;
    for (const pg::Row& row :
         pg::query("SELECT xid, nodes, ctid FROM herd.dist_transaction LIMIT 20000")) {
        found.push_back({std::stoull(row[0].value()), nodes_in(row[1].value()), row[2].value()});
    }
    return found;
}

bool is_recorded(const PreparedId& id) {
    return !pg::query(
                "SELECT FROM herd.dist_transaction WHERE xid = $1::pg_catalog.xid8 "
                "AND run = $2::pg_catalog.int8 AND $3::pg_catalog.int4 = ANY (nodes)",
                {std::to_string(id.xid), std::to_string(id.run), std::to_string(id.node.value)})
                .empty();
}

void forget_decisions(const std::vector<std::string>& places) {
    std::string list;
    for (const std::string& place : places) {
        list += (list.empty() ? "{\"" : ",\"") + place + "\"";
    }
    if (!list.empty()) {
        pg::query("DELETE FROM herd.dist_transaction WHERE ctid = ANY ($1::pg_catalog.tid[])",
                  {list + "}"});
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
