// SQL functions that show what the whole herd does, and that cancel a distributed transaction.
#include <cstdio>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "api/arguments.hpp"
#include "api/everywhere.hpp"
#include "api/record_set.hpp"
#include "failover/wait_graph.hpp"
#include "pg/server_run.hpp"
#include "remote/session_board.hpp"
#include "transaction/endpoint.hpp"

namespace herd::api {

namespace {

constexpr const char* kActivityQuestion =
    "SELECT datid, datname, pid, leader_pid, usesysid, usename, application_name, client_addr,"
    " client_hostname, client_port, backend_start, xact_start, query_start, state_change,"
    " wait_event_type, wait_event, state, backend_xid, backend_xmin, query_id, query, backend_type"
    " FROM pg_catalog.pg_stat_activity";

// The gid of a prepared transaction's locks: all have its virtual transaction, and one of them is
// on its own number.
constexpr const char* kLocksQuestion = R"(
SELECT l.locktype, l.database, l.relation,
       CASE WHEN l.database = 0
              OR l.database = (SELECT oid FROM pg_catalog.pg_database
                               WHERE datname = pg_catalog.current_database())
            THEN l.relation::pg_catalog.regclass::text END,
       l.page, l.tuple, l.virtualxid, l.transactionid, l.classid, l.objid, l.objsubid,
       l.virtualtransaction, l.pid,
       CASE WHEN l.pid IS NULL THEN (
           SELECT p.gid FROM pg_catalog.pg_locks x, pg_catalog.pg_prepared_xacts p
           WHERE x.virtualtransaction = l.virtualtransaction AND x.pid IS NULL AND x.granted
             AND x.locktype = 'transactionid' AND p.transaction = x.transactionid
           LIMIT 1) END,
       l.mode, l.granted, l.fastpath, l.waitstart
FROM pg_catalog.pg_locks l)";

// Which distributed transaction processes and prepared transactions belong to.
class Owners {
public:
    explicit Owners(const catalog::Catalog& herd) {
        prepared_.cluster_id = herd.cluster_id;
        prepared_.run = static_cast<std::uint64_t>(pg::server_run());
        for (const remote::BoardEntry& entry : remote::board_entries()) {
            if (!entry.id.empty()) {
                add(herd.self, entry);
            }
        }
    }

    [[nodiscard]] std::optional<std::string> of_process(NodeId node, const pg::Field& pid) const {
        auto found = pid ? processes_.find({node, std::stoi(*pid)}) : processes_.end();
        return found == processes_.end() ? std::nullopt : std::optional(found->second);
    }

    [[nodiscard]] std::optional<std::string> of_prepared(const pg::Field& gid) const {
        const Session* session = gid ? committer_of(prepared_, *gid) : nullptr;
        return session == nullptr ? std::nullopt : std::optional(session->id);
    }

private:
    void add(NodeId self, const remote::BoardEntry& entry) {
        processes_[{self, entry.pid}] = entry.id;
        for (std::size_t i = 0; i < entry.links.size(); ++i) {
            const remote::BoardLink& link = entry.links[i];
            bool waited_for = entry.wait != 0 && entry.waits_for == static_cast<int>(i);
            if (link.in_transaction || waited_for) {
                processes_[{link.node, link.pid}] = entry.id;
            }
        }
        Session session;
        session.id = entry.id;
        session.xid = entry.xid;
        prepared_.sessions.push_back(session);
    }

    std::map<std::pair<NodeId, int>, std::string> processes_;
    Observation prepared_;
};

// Puts the node's name and the transaction's id before each row.
template <typename OwnerOf>
void show_everywhere(::FunctionCallInfo fcinfo, const char* question, OwnerOf&& owner_of) {
    RecordSet result(fcinfo);
    ask_everywhere(question, [&](NodeId node, const std::string& name, const pg::Rows& rows) {
        Owners owners(transaction::require_herd());
        for (const pg::Row& row : rows) {
            std::vector<pg::Field> shown = {name, owner_of(owners, node, row)};
            shown.insert(shown.end(), row.begin(), row.end());
            result.add(shown);
        }
    });
}

bool is_id(const std::string& text) {
    int node = 0;
    int backend = 0;
    unsigned local = 0;
    int end = 0;
    return std::sscanf(text.c_str(), "%d:%d/%u%n", &node, &backend, &local, &end) == 3 &&
           text[static_cast<std::size_t>(end)] == '\0';
}

}  // namespace

}  // namespace herd::api

HERD_SQL_FUNCTION(herd_activity_everywhere) {
    using namespace herd;
    constexpr std::size_t kPid = 2;
    api::show_everywhere(fcinfo, api::kActivityQuestion,
                         [](const api::Owners& owners, NodeId node, const pg::Row& row) {
                             return owners.of_process(node, row[kPid]);
                         });
    return Datum{0};
}

HERD_SQL_FUNCTION(herd_locks_everywhere) {
    using namespace herd;
    constexpr std::size_t kPid = 12;
    constexpr std::size_t kGid = 13;
    api::show_everywhere(fcinfo, api::kLocksQuestion,
                         [](const api::Owners& owners, NodeId node, const pg::Row& row) {
                             return row[kPid] ? owners.of_process(node, row[kPid])
                                              : owners.of_prepared(row[kGid]);
                         });
    return Datum{0};
}

HERD_SQL_FUNCTION(herd_cancel) {
    using namespace herd;
    std::string id = api::text_argument(fcinfo, 0);
    if (!api::is_id(id)) {
        throw Error(sqlstate::kInvalidParameter,
                    "\"" + id + "\" is not the id of a distributed transaction")
            .hint("SELECT distributed_id, query FROM herd.activity shows them.");
    }
    for (const remote::BoardEntry& entry : remote::board_entries()) {
        if (entry.id == id) {
            // It has the same rules for who may, and does the same.
            return pg::call(
                [&] { return DirectFunctionCall1(::pg_cancel_backend, Int32GetDatum(entry.pid)); });
        }
    }
    pg::call([&] {
        ereport(WARNING, (errmsg("there is no distributed transaction \"%s\"", id.c_str())));
    });
    PG_RETURN_BOOL(false);
}
