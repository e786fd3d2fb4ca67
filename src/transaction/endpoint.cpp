#include "transaction/endpoint.hpp"

#include "transaction/internal.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace herd::transaction {

namespace {

// What holds in the node's session. A BEGIN without more words means what link_batch.cpp takes it
// for. The session watches its end of the connection as this server watches its own, so that locks
// of a host that has vanished do not stay until the node's kernel gives it up.
const char* const kSessionSettings =
    "-c search_path=pg_catalog -c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
    " -c client_connection_check_interval=1000 -c tcp_user_timeout=20000"
    " -c default_transaction_isolation=read\\ committed -c default_transaction_read_only=off"
    " -c default_transaction_deferrable=off"
    " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
    " -c herd.link=";

}  // namespace

std::string conninfo_value(const std::string& value) {
    std::string text = "'";
    for (char letter : value) {
        if (letter == '\'' || letter == '\\') {
            text += '\\';
        }
        text += letter;
    }
    return text + "'";
}

const catalog::Catalog& require_herd() {
    const catalog::Catalog* herd = catalog::current();
    if (herd == nullptr) {
        throw Error(sqlstate::kObjectNotInState, "this database has no pg_herd")
            .hint("Run CREATE EXTENSION pg_herd.");
    }
    return *herd;
}

remote::Endpoint endpoint_of(const catalog::Catalog& herd, NodeId id) {
    const catalog::NodeEntry* node = herd.node(id);
    if (node == nullptr || node->primary.host.empty()) {
        throw Error(sqlstate::kUndefinedObject,
                    "node " + std::to_string(id.value) + " is not a node of this herd");
    }
    const Server& server = node->primary;
    remote::Endpoint endpoint{id, node->name, {}};
    // The user's own options come first, so that ours win where they meet; but for GSSAPI, which
    // takes a while to find that there are no credentials.
    endpoint.conninfo =
        "gssencmode=disable " + server.options + " host=" + conninfo_value(server.host) +
        " port=" + std::to_string(server.port) + " dbname=" + conninfo_value(server.dbname) +
        " user=" + conninfo_value(server.username) +
        " connect_timeout=10 tcp_user_timeout=20000 keepalives=1 keepalives_idle=10"
        " keepalives_interval=5 keepalives_count=3 application_name=pg_herd client_encoding=" +
        conninfo_value(::GetDatabaseEncodingName()) + " options=" +
        conninfo_value(kSessionSettings + make_token(herd, server.username, server.dbname));
    return endpoint;
}

}  // namespace herd::transaction
