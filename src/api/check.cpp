// herd.check(): what is asked of each node, except for the rows of tables (check_data.cpp).
#include "api/check.hpp"

#include <cmath>
#include <map>

#include "api/node_fitness.hpp"
#include "api/plain_session.hpp"
#include "api/record_set.hpp"
#include "pg/spi.hpp"
#include "transaction/catalog_sync.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/session.hpp"

namespace herd::api {

namespace {

constexpr std::int64_t kTimeoutMs = 5000;
// Tokens between servers are good for a minute.
constexpr double kMostSkew = 30;
constexpr double kNotableSkew = 5;

constexpr const char* kMembership = R"(
    SELECT cluster_id, term, self_node, extract(epoch FROM clock_timestamp()),
           (SELECT extversion FROM pg_extension WHERE extname = 'pg_herd'),
           current_setting('server_version')
    FROM herd.cluster)";

std::string text(const pg::Row& row, std::size_t column) {
    return row[column].value_or("");
}

void check_clock(const std::string& node, double here, double there, Report& report) {
    double skew = std::fabs(here - there);
    std::string seconds = std::to_string(static_cast<long>(skew)) + " s";
    std::string hint = "Let both hosts keep their clocks by NTP.";
    if (skew > kMostSkew) {
        report.error("clock", node,
                     "its clock is " + seconds + " off; connections to it are refused", hint);
    } else if (skew > kNotableSkew) {
        report.warning("clock", node, "its clock is " + seconds + " off", hint);
    }
}

void judge_membership(const catalog::Catalog& herd, const std::string& version,
                      const catalog::NodeEntry& node, const pg::Rows& rows, Report& report) {
    constexpr const char* kCheck = "membership";
    if (rows.size() != 1 || text(rows[0], 0) != herd.cluster_id) {
        report.error(kCheck, node.name, "its database belongs to another herd",
                     "Correct its address with herd.remove_node and herd.add_node.");
    } else if (text(rows[0], 1) != std::to_string(herd.term) ||
               text(rows[0], 2) != std::to_string(node.id.value)) {
        report.error(
            kCheck, node.name,
            "it takes itself for node " + text(rows[0], 2) + " of term " + text(rows[0], 1),
            "It was restored from a copy; herd.remove_node and herd.add_node it.");
    } else if (text(rows[0], 4) != version) {
        report.error(kCheck, node.name,
                     "its pg_herd is " + text(rows[0], 4) + ", the coordinator's is " + version,
                     "ALTER EXTENSION pg_herd UPDATE there.");
    } else {
        report.ok(kCheck, node.name, "node " + text(rows[0], 2) + " of this herd");
    }
}

std::string join_texts(const std::vector<std::string>& texts, std::size_t most) {
    std::string joined;
    for (std::size_t i = 0; i < texts.size() && i < most; ++i) {
        joined += (joined.empty() ? "" : ", ") + texts[i];
    }
    if (texts.size() > most) {
        joined += " and " + std::to_string(texts.size() - most) + " more";
    }
    return joined;
}

using Objects = std::map<std::string, std::string>;

Objects objects_of(const pg::Rows& rows) {
    Objects objects;
    for (const pg::Row& row : rows) {
        objects[text(row, 0) + " " + text(row, 1)] = text(row, 2);
    }
    return objects;
}

std::string differences(const Objects& here, const Objects& there) {
    std::vector<std::string> missing;
    std::vector<std::string> other;
    std::vector<std::string> extra;
    for (const auto& [name, digest] : here) {
        auto found = there.find(name);
        if (found == there.end()) {
            missing.push_back(name);
        } else if (found->second != digest) {
            other.push_back(name);
        }
    }
    for (const auto& entry : there) {
        if (here.count(entry.first) == 0) {
            extra.push_back(entry.first);
        }
    }
    constexpr std::size_t kMost = 5;
    std::string result;
    auto add = [&](const char* what, const std::vector<std::string>& names) {
        if (!names.empty()) {
            result += (result.empty() ? "" : "; ") + (what + join_texts(names, kMost));
        }
    };
    add("missing there: ", missing);
    add("different there: ", other);
    add("only there: ", extra);
    return result;
}

}  // namespace

void check_membership(PlainSessions& sessions, Report& report) {
    const catalog::Catalog& herd = transaction::require_herd();
    pg::Row own;
    {
        pg::AsOwner owner;
        own = pg::query(kMembership).at(0);
    }
    double here = std::stod(text(own, 3));
    for (const PlainSessions::Answer& answer : sessions.ask(kMembership)) {
        const std::string& node = answer.node->name;
        if (!answer.reachable) {
            report.error("reachable", node, answer.problem,
                         "Start the server, or correct its address; see herd.servers.");
            continue;
        }
        if (!answer.rows) {
            report.ok("reachable", node, "it answers");
            report.error(
                "membership", node, answer.problem,
                "Its database is no node any more: herd.remove_node and herd.add_node it.");
            continue;
        }
        const pg::Rows& rows = *answer.rows;
        report.ok("reachable", node,
                  rows.empty() ? "it answers" : "PostgreSQL " + text(rows[0], 5));
        judge_membership(herd, text(own, 4), *answer.node, rows, report);
        if (!rows.empty()) {
            check_clock(node, here, std::stod(text(rows[0], 3)), report);
        }
    }
}

void check_settings(PlainSessions& sessions, Report& report) {
    for (const catalog::NodeEntry& node : transaction::require_herd().nodes) {
        PlainSession* session = sessions.on(node.id);
        if (session == nullptr) {
            continue;
        }
        try {
            std::vector<Problem> problems = find_problems(*session, false);
            for (const Problem& problem : problems) {
                report.error("settings", node.name, problem.text,
                             problem.command + (problem.restart ? " and restart the server" : ""));
            }
            if (problems.empty()) {
                report.ok("settings", node.name, "version, locale, hashes, settings and roles fit");
            }
        } catch (const Error& error) {
            if (error.state() == sqlstate::kQueryCanceled) {
                throw;
            }
            report.error("settings", node.name, error.message(), error.hint());
        }
    }
}

void check_schema(PlainSessions& sessions, Report& report) {
    constexpr const char* kObjects = "SELECT kind, name, digest FROM herd.schema_objects()";
    std::string here;
    {
        pg::AsOwner owner;
        here = pg::query_value("SELECT herd.schema_checksum()").value_or("");
    }
    for (const PlainSessions::Answer& answer : sessions.ask("SELECT herd.schema_checksum()")) {
        if (!answer.rows) {
            continue;
        }
        const std::string& name = answer.node->name;
        if (text(answer.rows->at(0), 0) == here) {
            report.ok("schema", name, "the same as the coordinator's");
            continue;
        }
        pg::AsOwner owner;
        Objects own = objects_of(pg::query(kObjects));
        PlainSession* session = sessions.on(answer.node->id);
        std::string differing = differences(own, objects_of(session->query(kObjects)));
        if (!differing.empty()) {
            report.error("schema", name, differing,
                         "Make it there as it is on the coordinator; drop what is only there.");
        }
    }
}

void check_metadata(PlainSessions& sessions, Report& report) {
    std::string here = transaction::export_catalog();
    for (const PlainSessions::Answer& answer : sessions.ask(transaction::export_query())) {
        if (!answer.rows) {
            continue;
        }
        if (text(answer.rows->at(0), 0) == here) {
            report.ok("metadata", answer.node->name, "its copy of the catalogue is equal");
        } else {
            report.error(
                "metadata", answer.node->name, "its copy of the catalogue differs",
                "SELECT herd.set_node('coordinator') sends the catalogue to every node again.");
        }
    }
}

void check_prepared(PlainSessions& sessions, Report& report) {
    std::string prefix = pg::quote_literal(transaction::gid_prefix(transaction::require_herd()));
    std::string sql =
        "SELECT count(*), coalesce(extract(epoch FROM max(now() - prepared))::bigint, 0) "
        "FROM pg_prepared_xacts WHERE database = current_database() AND starts_with(gid, " +
        prefix + ") AND prepared < now() - interval '10 s'";
    for (const PlainSessions::Answer& answer : sessions.ask(sql)) {
        if (!answer.rows) {
            continue;
        }
        const pg::Row& row = answer.rows->at(0);
        if (text(row, 0) == "0") {
            report.ok("prepared transactions", answer.node->name, "none is left over");
        } else {
            report.error(
                "prepared transactions", answer.node->name,
                text(row, 0) + " left over, the oldest for " + text(row, 1) + " s",
                "The supervisor finishes them; look into the coordinator's log why it does not.");
        }
    }
}

// It probes nodes and finishes transactions; what it can't decide is for people.
void check_supervisor(Report& report) {
    const char* const coordinator = "coordinator";
    pg::AsOwner owner;
    pg::Rows running =
        pg::query("SELECT sentence FROM herd.supervisors() WHERE database = current_database()");
    if (running.empty()) {
        report.warning("supervisor", coordinator,
                       "it does not run yet: nobody finishes transactions",
                       "SELECT herd.start_supervisor(); the server's log tells why it ended.");
    } else {
        report.ok("supervisor", coordinator, text(running[0], 0));
    }
    pg::Rows undecidable = pg::query(
        "SELECT gid, coalesce(name, node_id::text) FROM herd.transactions_in_doubt() "
        "LEFT JOIN herd.node USING (node_id) WHERE status = 'undecidable'");
    for (const pg::Row& row : undecidable) {
        report.error("supervisor", text(row, 1),
                     "whether transaction \"" + text(row, 0) + "\" was committed is not known",
                     "Decide, and run COMMIT PREPARED or ROLLBACK PREPARED with its id there.");
    }
}

}  // namespace herd::api

HERD_SQL_FUNCTION(herd_check) {
    herd::api::RecordSet result(fcinfo);
    const herd::catalog::Catalog& herd = herd::transaction::require_coordinator();
    herd::api::PlainSessions sessions(herd, herd::api::kTimeoutMs);
    herd::api::Report report;
    herd::api::check_membership(sessions, report);
    herd::api::check_settings(sessions, report);
    herd::api::check_schema(sessions, report);
    herd::api::check_metadata(sessions, report);
    herd::api::check_prepared(sessions, report);
    herd::api::check_supervisor(report);
    herd::api::check_ranges(report);
    herd::api::check_reference_tables(sessions, report);
    for (const herd::api::Finding& finding : report.findings()) {
        result.add({finding.check, finding.node, finding.status, finding.detail, finding.hint});
    }
    return Datum{0};
}
