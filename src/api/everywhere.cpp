#include "api/everywhere.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "catalog/herd_catalog.hpp"
#include "remote/rows.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/settings.hpp"

namespace herd::api {

namespace {

constexpr std::int64_t kTimeoutMs = 2000;
// What a node has at least, when others have used up the time.
constexpr std::int64_t kLeastMs = 500;

struct Asked {
    NodeId node;
    std::string name;
    std::unique_ptr<remote::Connection> connection;
};

class Inquiry {
public:
    Inquiry() : deadline_(pg::now_ms() + kTimeoutMs) {}

    void start(const catalog::Catalog& herd) {
        for (const catalog::NodeEntry& node : herd.nodes) {
            if (node.id != herd.self && !node.primary.host.empty()) {
                asked_.push_back({node.id, node.name, std::make_unique<remote::Connection>()});
                step(asked_.back(), [&](remote::Connection& connection) {
                    connection.start(transaction::endpoint_of(herd, node.id));
                });
            }
        }
    }

    void send(const std::string& question) {
        std::string state = *transaction::session_state();
        for (Asked& asked : asked_) {
            step(asked, [&](remote::Connection& connection) {
                connection.finish_start(deadline());
                connection.queue(state.c_str());
                connection.queue(question.c_str());
                connection.queue_sync();
                connection.flush(deadline());
            });
        }
    }

    void receive(const std::string& question, const NodeRows& take) {
        for (Asked& asked : asked_) {
            pg::Rows rows;
            step(asked, [&](remote::Connection& connection) { rows = read(connection, question); });
            if (asked.connection) {
                take(asked.node, asked.name, rows);
            }
        }
    }

private:
    [[nodiscard]] std::int64_t deadline() const {
        return std::max(deadline_, pg::now_ms() + kLeastMs);
    }

    // A node that fails is not asked any further.
    template <typename Step>
    void step(Asked& asked, Step&& go) {
        if (!asked.connection) {
            return;
        }
        try {
            go(*asked.connection);
        } catch (const Error& error) {
            asked.connection.reset();
            if (error.state() == sqlstate::kQueryCanceled) {
                throw;
            }
            pg::call([&] {
                ereport(WARNING,
                        (errcode(error.state().code),
                         errmsg("node \"%s\" is not shown: %s", asked.name.c_str(),
                                error.message().c_str()),
                         error.detail().empty() ? 0 : errdetail("%s", error.detail().c_str())));
            });
        }
    }

    pg::Rows read(remote::Connection& connection, const std::string& question) const {
        pg::Rows rows;
        while (true) {
            remote::Result result = connection.next(deadline());
            ExecStatusType status = result ? ::PQresultStatus(result.get()) : PGRES_COMMAND_OK;
            if (status == PGRES_PIPELINE_SYNC) {
                return rows;
            }
            if (status == PGRES_FATAL_ERROR) {
                connection.throw_error(result.get(), question);
            }
            if (status == PGRES_TUPLES_OK) {
                rows.clear();  // the last statement's are asked for
                remote::append_rows(rows, result.get());
            }
        }
    }

    std::int64_t deadline_;
    std::vector<Asked> asked_;
};

}  // namespace

void ask_everywhere(const std::string& question, const NodeRows& take) {
    const catalog::Catalog& herd = transaction::require_herd();
    Inquiry inquiry;
    if (herd.is_coordinator()) {
        inquiry.start(herd);
    }
    const catalog::NodeEntry* self = herd.node(herd.self);
    take(herd.self, self == nullptr ? "" : self->name, pg::query(question));
    inquiry.send(question);
    inquiry.receive(question, take);
}

}  // namespace herd::api
