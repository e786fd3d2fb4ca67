// herd.run_on_node: one statement on one node, for operators and tests.
#include "pg/catalog_scan.hpp"
#include "pg/spi.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "utils/builtins.h"
}

namespace {

// BEGIN, COMMIT and the like would part the node's transaction from this one.
bool controls_transaction(const std::string& command) {
    return herd::pg::call([&] {
        ::ListCell* cell = nullptr;
        foreach (cell, ::raw_parser(command.c_str(), RAW_PARSE_DEFAULT)) {
            if (IsA(static_cast<::RawStmt*>(lfirst(cell))->stmt, TransactionStmt)) {
                return true;
            }
        }
        return false;
    });
}

// A row as psql -A shows it; one NULL alone stays NULL.
std::optional<std::string> joined(const herd::pg::Row& row) {
    if (row.size() == 1) {
        return row[0];
    }
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
        text += (i == 0 ? "" : "|") + row[i].value_or("");
    }
    return text;
}

void put_row(::ReturnSetInfo* result, const std::optional<std::string>& text) {
    herd::pg::call([&] {
        Datum value = text ? CStringGetTextDatum(text->c_str()) : Datum{0};
        bool null = !text;
        ::tuplestore_putvalues(result->setResult, result->setDesc, &value, &null);
    });
}

}  // namespace

HERD_SQL_FUNCTION(herd_run_on_node) {
    using namespace herd;
    if (!::superuser()) {
        throw Error(sqlstate::kInsufficientPrivilege,
                    "only superusers may run statements on a node by hand");
    }
    std::string name = pg::text_of(PG_GETARG_DATUM(0));
    std::string command = pg::text_of(PG_GETARG_DATUM(1));
    if (controls_transaction(command)) {
        throw Error(sqlstate::kFeatureNotSupported,
                    "herd.run_on_node runs statements as part of this transaction")
            .hint("Say BEGIN, COMMIT and SAVEPOINT here: they reach the node by themselves.");
    }
    const catalog::Catalog& herd = transaction::require_herd();
    const catalog::NodeEntry* node = herd.node(name);
    if (node == nullptr) {
        throw Error(sqlstate::kUndefinedObject, "there is no node \"" + name + "\"")
            .hint("SELECT name FROM herd.nodes lists them.");
    }
    if (node->id == herd.self) {
        throw Error(sqlstate::kInvalidParameter, "\"" + name + "\" is this server")
            .hint("Run the statement without herd.run_on_node.");
    }
    pg::Rows rows = transaction::run(node->id, command);
    pg::call([&] { ::InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC); });
    auto* result = reinterpret_cast<::ReturnSetInfo*>(fcinfo->resultinfo);
    for (const pg::Row& row : rows) {
        put_row(result, joined(row));
    }
    return Datum{0};
}
