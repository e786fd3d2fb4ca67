#include "ddl/node_by_node.hpp"

#include <memory>
#include <optional>

#include "ddl/catalog_query.hpp"
#include "pg/failpoint.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/settings.hpp"

extern "C" {
#include "access/xact.h"
#include "utils/snapmgr.h"
}

namespace herd::ddl {

namespace {

constexpr std::int64_t kConnectTimeoutMs = 10'000;

// One node's run, on a connection of its own.
struct Run {
    NodeId node;
    std::string name;
    std::string sql;
    remote::Connection connection;
    std::optional<Error> error;
};

// Keeps the node's error and goes on with the other nodes; a cancel of this session ends all.
template <typename Step>
void attempt(Run& run, Step&& step) {
    if (run.error) {
        return;
    }
    try {
        step();
    } catch (const Error& error) {
        pg::check_interrupts();
        run.error = error;
    }
}

void queue(Run& run, const std::string& search_path) {
    for (const std::string& sql :
         {*transaction::session_state(),
          "SELECT pg_catalog.set_config('search_path', " + pg::quote_literal(search_path) +
              ", false), pg_catalog.set_config('client_min_messages', 'warning', false)",
          run.sql}) {
        run.connection.queue(sql.c_str());
        run.connection.sync();
    }
}

void await(Run& run) {
    constexpr int kCommands = 3;
    for (int done = 0; done < kCommands;) {
        remote::Result result = run.connection.next();
        if (!result) {
            continue;
        }
        ExecStatusType status = ::PQresultStatus(result.get());
        if (status == PGRES_PIPELINE_SYNC) {
            ++done;
        } else if (status == PGRES_FATAL_ERROR) {
            run.connection.throw_error(result.get(), run.sql);
        }
    }
    run.connection.forward_notices();
}

// The event must outlive the error that follows it.
void record_failure(const NodeByNode& work, const std::string& detail) {
    catalog_query("INSERT INTO herd.event (kind, object, detail) VALUES ('ddl_failed', $1, $2)",
                  {work.what, detail + " " + work.remedy});
    if (!::IsTransactionBlock() && !::IsSubTransaction()) {
        pg::call([] {
            while (::ActiveSnapshotSet()) {
                ::PopActiveSnapshot();
            }
            ::CommitTransactionCommand();
            ::StartTransactionCommand();
        });
    }
}

[[noreturn]] void throw_failure(const NodeByNode& work,
                                const std::vector<std::unique_ptr<Run>>& runs) {
    std::string done = "Done on the coordinator";
    std::string failed;
    std::optional<Error> first;
    for (const auto& run : runs) {
        if (run->error) {
            failed += (failed.empty() ? "\"" : ", \"") + run->name + "\"";
            first = first ? first : run->error;
        } else {
            done += ", \"" + run->name + "\"";
        }
    }
    std::string detail = done + "; failed on " + failed + ": " + first.value().message() + ".";
    record_failure(work, detail);
    throw Error(first.value().state(), work.what + " failed on node " + failed)
        .detail(detail)
        .hint(work.remedy)
        .context(first.value().context());
}

}  // namespace

void run_node_by_node(const NodeByNode& work) {
    const catalog::Catalog& herd = transaction::require_herd();
    std::vector<std::unique_ptr<Run>> runs;
    for (const NodeCommand& command : work.commands) {
        const catalog::NodeEntry* node = herd.node(command.node);
        auto run = std::make_unique<Run>();
        run->node = command.node;
        run->name = node == nullptr ? std::to_string(command.node.value) : node->name;
        run->sql = command.sql;
        runs.push_back(std::move(run));
    }
    HERD_FAILPOINT("ddl.before_node_by_node");
    for (const auto& run : runs) {
        attempt(*run, [&] { run->connection.start(transaction::endpoint_of(herd, run->node)); });
    }
    for (const auto& run : runs) {
        attempt(*run, [&] {
            run->connection.finish_start(pg::now_ms() + kConnectTimeoutMs);
            queue(*run, work.search_path);
        });
    }
    bool failed = false;
    for (const auto& run : runs) {
        attempt(*run, [&] { await(*run); });
        failed = failed || run->error;
    }
    if (failed) {
        throw_failure(work, runs);
    }
}

}  // namespace herd::ddl
