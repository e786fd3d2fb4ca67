// Links and statements; the transaction's end is in commit.cpp.
#include "transaction/session.hpp"

#include <algorithm>
#include <map>

#include "model/prepared_id.hpp"
#include "pg/statement_depth.hpp"
#include "remote/rows.hpp"
#include "remote/session_board.hpp"
#include "transaction/commit.hpp"
#include "transaction/connection_settings.hpp"
#include "transaction/deadlock_error.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/gate.hpp"
#include "transaction/idle_links.hpp"
#include "transaction/seats.hpp"
#include "transaction/settings.hpp"
#include "transaction/strict.hpp"

extern "C" {
#include "access/xact.h"
#include "libpq/libpq.h"
#include "storage/ipc.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/portal.h"
}

namespace herd::transaction {

namespace {

pg::Rows collect(Link& link) {
    pg::Rows rows;
    while (remote::Result result = link.receive()) {
        remote::append_rows(rows, result.get());
    }
    return rows;
}

}  // namespace

Links& session_links() {
    static auto& links = *new Links;
    return links;
}

namespace {

// A socket that is closed with something unread in it looks like a reset to the node, which logs
// it.
void take_leave(int, Datum) {
    for (const auto& entry : session_links()) {
        entry.second->take_leave();
    }
}

void take_leave_at_exit() {
    static bool registered = false;
    if (!std::exchange(registered, true)) {
        pg::call([] { ::before_shmem_exit(take_leave, Datum{0}); });
    }
}

}  // namespace

Link& link_to(NodeId node) {
    Links& links = session_links();
    take_leave_at_exit();
    auto found = links.find(node);
    if (found == links.end()) {
        found = links.emplace(node, std::make_unique<Link>(node)).first;
    }
    return *found->second;
}

bool works_on_nodes() {
    const Links& links = session_links();
    return std::any_of(links.begin(), links.end(), [](const auto& entry) {
        return entry.second->in_block() || entry.second->is_read();
    });
}

namespace {

// Those of the nodes' links that have to be opened, each with a seat. Who waits for one may have to
// give up others, so that it begins again.
std::vector<Link*> links_to_open(const std::vector<NodeId>& nodes) {
    while (true) {
        std::vector<Link*> opening;
        bool waited = false;
        for (NodeId node : nodes) {
            Link& link = link_to(node);
            if (link.needs_connection()) {
                waited = link.take_seat() || waited;
                opening.push_back(&link);
            }
        }
        if (!waited) {
            return opening;
        }
    }
}

}  // namespace

void open_links(const std::vector<NodeId>& nodes) {
    std::vector<Link*> opening = links_to_open(nodes);
    try {
        for (Link* link : opening) {
            link->start_connecting();
        }
        for (Link* link : opening) {
            link->finish_connecting();
        }
    } catch (...) {
        for (Link* link : opening) {
            if (!link->connection().usable()) {
                link->close();
            }
        }
        throw;
    }
}

void forget_link(NodeId node) {
    auto found = session_links().find(node);
    if (found == session_links().end()) {
        return;
    }
    if (found->second->in_block()) {
        throw Error(sqlstate::kObjectNotInState, "node \"" +
                                                     found->second->connection().node_name() +
                                                     "\" takes part in this transaction");
    }
    session_links().erase(found);
}

pg::Rows run(NodeId node, const std::string& sql, bool writes) {
    Statement statement;
    statement.text = sql.c_str();
    statement.writes = writes;
    Link& link = link_to(node);
    link.send(statement, nullptr);
    return collect(link);
}

void run_on(const std::vector<NodeId>& nodes, const std::string& sql, bool writes) {
    open_links(nodes);
    Statement statement;
    statement.text = sql.c_str();
    statement.writes = writes;
    for (NodeId node : nodes) {
        link_to(node).send(statement, nullptr);
    }
    std::optional<Error> first;
    for (NodeId node : nodes) {
        try {
            collect(link_to(node));
        } catch (const Error& error) {
            if (error.state() == sqlstate::kQueryCanceled ||
                error.state() == sqlstate::kDeadlockDetected) {
                throw;  // the others are told at the end of the transaction
            }
            first = first ? first : error;
        }
    }
    if (first) {
        throw Error(*first);
    }
}

pg::Rows run_alone(NodeId node, const std::string& sql, const std::string& search_path) {
    remote::Connection connection;
    connection.start(endpoint_of(require_herd(), node));
    connection.finish_start(pg::now_ms() + connection_timeout());
    const std::string commands[] = {*session_state(),
                                    "SELECT pg_catalog.set_config('search_path', " +
                                        pg::quote_literal(search_path) + ", false)",
                                    sql};
    pg::Rows rows;
    for (const std::string& command : commands) {
        connection.queue(command.c_str());
        connection.sync();
        rows.clear();
        while (true) {
            remote::Result result = connection.next();
            if (!result) {
                continue;
            }
            ExecStatusType status = ::PQresultStatus(result.get());
            if (status == PGRES_PIPELINE_SYNC) {
                break;
            }
            if (status == PGRES_FATAL_ERROR) {
                connection.throw_error(result.get(), command);
            }
            remote::append_rows(rows, result.get());
        }
        connection.forward_notices();
    }
    return rows;
}

namespace {

// In the extended protocol all statements up to the client's Sync are one transaction, which this
// server does not know yet while it runs the first. The simple protocol's portal is not visible.
bool nothing_follows() {
    if (::ActivePortal == nullptr || ::ActivePortal->name[0] != '\0') {
        return false;
    }
    if (!::ActivePortal->visible) {
        return true;
    }
    if (!::pq_buffer_has_data()) {
        return false;
    }
    ::pq_startmsgread();
    int next = ::pq_peekbyte();
    ::pq_endmsgread();
    return next == 'S';
}

}  // namespace

bool may_write_alone() {
    if (pg::statement_depth() != 1 || ::IsTransactionBlock() || ::IsSubTransaction() ||
        TransactionIdIsValid(::GetTopTransactionIdIfAny()) || XactIsoLevel > XACT_READ_COMMITTED ||
        ::whereToSendOutput != DestRemote) {
        return false;
    }
    for (const auto& entry : session_links()) {
        if (entry.second->in_block()) {
            return false;
        }
    }
    return pg::call([] { return nothing_follows(); });
}

void take_cleanup_answers_of_session() noexcept {
    if (Link::all_settled()) {
        return;
    }
    for (const auto& entry : session_links()) {
        entry.second->take_cleanup_answers();
    }
}

namespace {

// While the session waits over one of its connections: the others' answers.
void take_other_answers(int place) noexcept {
    for (const auto& entry : session_links()) {
        if (entry.second->connection().place() != place) {
            entry.second->take_cleanup_answers();
        }
    }
}

}  // namespace

std::string gid_prefix(const catalog::Catalog& herd) {
    return prepared_id_prefix(herd.cluster_id);
}

void initialize_session() {
    define_connection_settings();
    initialize_settings();
    request_seats();
    initialize_idle_links();
    request_gate();
    initialize_strict();
    initialize_commit();
    initialize_deadlock_error();
    remote::set_wakeup_hook(take_other_answers);
}

}  // namespace herd::transaction
