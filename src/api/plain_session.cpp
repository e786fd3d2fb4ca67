#include "api/plain_session.hpp"

#include "transaction/endpoint.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace herd::api {

namespace {

remote::Endpoint endpoint(const Server& server, const std::string& name) {
    using transaction::conninfo_value;
    remote::Endpoint result{server.node, name, {}};
    result.conninfo = server.options + " host=" + conninfo_value(server.host) +
                      " port=" + std::to_string(server.port) +
                      " dbname=" + conninfo_value(server.dbname) +
                      " user=" + conninfo_value(server.username) +
                      " connect_timeout=10 tcp_user_timeout=20000 application_name=pg_herd"
                      " client_encoding=" +
                      conninfo_value(::GetDatabaseEncodingName()) +
                      " options='-c search_path=pg_catalog -c statement_timeout=0'";
    return result;
}

pg::Row read_row(const PGresult* result, int row) {
    pg::Row fields;
    for (int column = 0; column < ::PQnfields(result); ++column) {
        if (::PQgetisnull(result, row, column) != 0) {
            fields.emplace_back();
        } else {
            fields.emplace_back(::PQgetvalue(result, row, column));
        }
    }
    return fields;
}

// What a node does wrong is a finding; what the user or this server wants ends the command.
bool ends_command(const Error& error) {
    return error.state() == sqlstate::kQueryCanceled || error.state() == SqlState("57P01");
}

}  // namespace

PlainSession::PlainSession(const Server& server, const std::string& name, std::int64_t timeout_ms)
    : timeout_ms_(timeout_ms), open_by_(deadline()) {
    connection_.start(endpoint(server, name));
}

void PlainSession::open() {
    if (!open_) {
        connection_.finish_start(open_by_);
        open_ = true;
    }
}

void PlainSession::send(const std::string& sql) {
    open();
    sql_ = sql;
    connection_.queue(sql.c_str());
    connection_.sync();
}

pg::Rows PlainSession::receive() {
    pg::Rows rows;
    remote::Result failed;
    while (true) {
        remote::Result result = connection_.next(deadline());
        if (!result) {
            continue;
        }
        ExecStatusType status = ::PQresultStatus(result.get());
        if (status == PGRES_PIPELINE_SYNC) {
            break;
        }
        if (status == PGRES_FATAL_ERROR) {
            failed = std::move(result);
            continue;
        }
        for (int row = 0; row < ::PQntuples(result.get()); ++row) {
            rows.push_back(read_row(result.get(), row));
        }
    }
    if (failed) {
        connection_.throw_error(failed.get(), sql_);
    }
    return rows;
}

pg::Rows PlainSession::query(const std::string& sql) {
    send(sql);
    return receive();
}

PlainSessions::PlainSessions(const catalog::Catalog& herd, std::int64_t timeout_ms) {
    for (const catalog::NodeEntry& node : herd.nodes) {
        if (node.id == herd.self) {
            continue;
        }
        Member member;
        member.node = &node;
        try {
            member.session = std::make_unique<PlainSession>(node.primary, node.name, timeout_ms);
        } catch (const Error& error) {
            if (ends_command(error)) {
                throw;
            }
            member.problem = error.message() + ": " + error.detail();
        }
        members_.push_back(std::move(member));
    }
    for (Member& member : members_) {
        if (!member.session) {
            continue;
        }
        try {
            member.session->open();
        } catch (const Error& error) {
            if (ends_command(error)) {
                throw;
            }
            member.session.reset();
            member.problem =
                error.message() + (error.detail().empty() ? "" : ": " + error.detail());
        }
    }
}

std::vector<PlainSessions::Answer> PlainSessions::ask(const std::string& sql) {
    std::vector<Answer> answers;
    for (Member& member : members_) {
        Answer answer;
        answer.node = member.node;
        answer.problem = member.problem;
        if (member.session) {
            try {
                member.session->send(sql);
                answer.reachable = true;
            } catch (const Error& error) {
                if (ends_command(error)) {
                    throw;
                }
                answer.problem = error.message();
            }
        }
        answers.push_back(std::move(answer));
    }
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (!answers[i].reachable) {
            continue;
        }
        try {
            answers[i].rows = members_[i].session->receive();
        } catch (const Error& error) {
            if (ends_command(error)) {
                throw;
            }
            answers[i].problem = error.message();
            if (error.state() == sqlstate::kNodeUnavailable ||
                error.state() == sqlstate::kConnectionFailure) {
                members_[i]
                    .session.reset();  // its answer may come yet, and would be taken for another's
                members_[i].problem = error.message();
            }
        }
    }
    return answers;
}

PlainSession* PlainSessions::on(NodeId node) {
    for (Member& member : members_) {
        if (member.node->id == node) {
            return member.session.get();
        }
    }
    return nullptr;
}

}  // namespace herd::api
