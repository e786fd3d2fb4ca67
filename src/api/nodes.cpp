// SQL functions about nodes: add, set, remove.
#include "api/arguments.hpp"
#include "api/local_server.hpp"
#include "api/node_join.hpp"
#include "api/node_leave.hpp"
#include "catalog/store.hpp"
#include "pg/spi.hpp"
#include "transaction/catalog_sync.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/internal.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "utils/fmgroids.h"
}

namespace {

using herd::api::text_argument;

void require_superuser(const char* what) {
    if (!herd::pg::call([] { return ::superuser(); })) {
        throw herd::Error(herd::sqlstate::kInsufficientPrivilege,
                          std::string("only a superuser ") + what);
    }
}

const herd::catalog::NodeEntry& require_node(const std::string& name) {
    const herd::catalog::NodeEntry* node = herd::transaction::require_coordinator().node(name);
    if (node == nullptr) {
        throw herd::Error(herd::sqlstate::kUndefinedObject, "node \"" + name + "\" does not exist")
            .hint("SELECT name FROM herd.nodes lists the nodes.");
    }
    return *node;
}

}  // namespace

HERD_SQL_FUNCTION(herd_add_node) {
    herd::api::JoinRequest request;
    request.node.name = text_argument(fcinfo, 0);
    request.server.host = text_argument(fcinfo, 1);
    request.server.port = PG_GETARG_INT32(2);
    request.server.dbname = text_argument(fcinfo, 3);
    request.server.username = text_argument(fcinfo, 4);
    request.server.options = text_argument(fcinfo, 5);
    request.node.takes_shards = PG_GETARG_BOOL(6);
    request.node.weight = PG_GETARG_FLOAT8(7);
    PG_RETURN_INT32(herd::api::join_node(request).value);
}

HERD_SQL_FUNCTION(herd_add_local_node) {
    if (PG_ARGISNULL(0)) {
        throw herd::Error(herd::sqlstate::kInvalidParameter, "the node's name is missing");
    }
    herd::api::JoinRequest request;
    request.node.name = text_argument(fcinfo, 0);
    herd::api::require_can_join(request);
    herd::api::LocalServer local(request.node.name, PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1),
                                 herd::api::optional_text(fcinfo, 2).value_or(""));
    request.data_directory = local.data_directory();
    try {
        herd::api::report_step("making a server in " + local.data_directory());
        local.initialize();
        local.start();
        request.server = local.server();
        herd::api::report_step("started it on port " + std::to_string(request.server.port));
        local.create_database();
        PG_RETURN_INT32(herd::api::join_node(request).value);
    } catch (...) {
        local.destroy();
        throw;
    }
}

namespace {

std::string own_data_directory(const std::string& name) {
    require_node(name);
    herd::pg::AsOwner owner;
    herd::pg::Field directory = herd::pg::query_value(
        "SELECT data_directory FROM herd.server JOIN herd.node USING (node_id) WHERE name = $1",
        {name});
    if (!directory) {
        throw herd::Error(herd::sqlstate::kObjectNotInState,
                          "the server of node \"" + name + "\" was not made by herd.add_local_node")
            .hint("Start and stop it by the means of its host.");
    }
    return *directory;
}

}  // namespace

HERD_SQL_FUNCTION(herd_start_local_node) {
    require_superuser("starts nodes");
    herd::api::start_server(own_data_directory(text_argument(fcinfo, 0)));
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(herd_stop_local_node) {
    require_superuser("stops nodes");
    herd::api::stop_server(own_data_directory(text_argument(fcinfo, 0)));
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(herd_set_node) {
    if (PG_ARGISNULL(0)) {
        throw herd::Error(herd::sqlstate::kInvalidParameter, "the node's name is missing");
    }
    require_superuser("changes nodes");
    herd::transaction::lock_membership();
    herd::HerdNode node = require_node(text_argument(fcinfo, 0));
    std::optional<bool> takes_shards;
    std::optional<double> weight;
    if (!PG_ARGISNULL(1)) {
        takes_shards = PG_GETARG_BOOL(1);
    }
    if (!PG_ARGISNULL(2)) {
        weight = PG_GETARG_FLOAT8(2);
        node.weight = *weight;
        herd::check_valid(node);
    }
    herd::catalog::change_node(node.id, takes_shards, weight);
    herd::transaction::sync_catalog();
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(herd_remove_node) {
    require_superuser("removes nodes");
    herd::transaction::lock_membership();
    herd::api::remove_node(require_node(text_argument(fcinfo, 0)));
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(herd_join_herd) {
    require_superuser("makes a database a node");
    herd::pg::Rows rows = herd::pg::query(
        "SELECT self_node <> 1 OR (SELECT pg_catalog.count(*) > 1 FROM herd.node) OR "
        "EXISTS (SELECT 1 FROM herd.distributed_table) FROM herd.cluster");
    if (rows.size() != 1 || rows[0][0] != herd::pg::Field("f")) {
        throw herd::Error(herd::sqlstate::kNodeNotFit, "this database is in a herd already");
    }
    const char* cluster = herd::pg::call(
        [&] { return DatumGetCString(::OidOutputFunctionCall(F_UUID_OUT, PG_GETARG_DATUM(0))); });
    herd::pg::query(
        "UPDATE herd.cluster SET cluster_id = $1::pg_catalog.uuid, term = $2::pg_catalog.int8, "
        "self_node = $3::pg_catalog.int4, secret = pg_catalog.decode($4, 'hex')",
        {cluster, std::to_string(PG_GETARG_INT64(1)), std::to_string(PG_GETARG_INT32(2)),
         text_argument(fcinfo, 3)});
    herd::catalog::invalidate();
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(herd_import_catalog) {
    herd::transaction::require_internal_call("import_catalog");
    herd::transaction::import_catalog(text_argument(fcinfo, 0));
    PG_RETURN_VOID();
}
