// The order matters: everything is checked before anything is written; the membership lock keeps
// DDL and other joins away from then on; what the node gets, it gets in its part of this
// transaction.
#include "api/node_join.hpp"

#include "api/node_fitness.hpp"
#include "catalog/store.hpp"
#include "pg/failpoint.hpp"
#include "pg/process.hpp"
#include "pg/shared_memory.hpp"
#include "transaction/catalog_sync.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/session.hpp"
#include "transaction/table_rows.hpp"
#include "worker/worker.hpp"

extern "C" {
#include "access/xact.h"
#include "postmaster/postmaster.h"
#include "storage/lmgr.h"
}

namespace herd::api {

namespace {

// For each step on the server that is to join; it may be busy.
constexpr std::int64_t kStepTimeoutMs = 30'000;

// Roles that the node lacks, with their verifiers; memberships; settings of roles and database.
constexpr const char* kRoleCommands = R"(
    WITH missing AS (SELECT * FROM pg_authid
                     WHERE rolname !~ '^pg_' AND rolname <> ALL ($1::text[]))
    SELECT format('CREATE ROLE %I WITH %s %s %s %s %s %s %s '
                  'CONNECTION LIMIT %s PASSWORD %L VALID UNTIL %L;',
               rolname,
               CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END,
               CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
               CASE WHEN rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END,
               CASE WHEN rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
               CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
               CASE WHEN rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END,
               CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END,
               rolconnlimit, rolpassword, coalesce(rolvaliduntil, 'infinity'))
    FROM missing
    UNION ALL
    SELECT format('GRANT %I TO %I%s;', r.rolname, m.rolname,
                  CASE WHEN admin_option THEN ' WITH ADMIN OPTION' END)
    FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
    UNION ALL
    SELECT format('ALTER %s SET %I TO %s;',
               CASE WHEN setrole = 0 THEN format('DATABASE %I', $2)
                    WHEN setdatabase = 0 THEN format('ROLE %I', r.rolname)
                    ELSE format('ROLE %I IN DATABASE %I', r.rolname, $2) END,
               split_part(setting, '=', 1),
               CASE WHEN split_part(setting, '=', 1) IN ('search_path', 'local_preload_libraries',
                        'session_preload_libraries', 'temp_tablespaces')
                    THEN coalesce(nullif(substr(setting, strpos(setting, '=') + 1), ''), '''''')
                    ELSE quote_literal(substr(setting, strpos(setting, '=') + 1)) END)
    FROM pg_db_role_setting LEFT JOIN pg_roles r ON r.oid = setrole, unnest(setconfig) AS setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
       OR setdatabase = 0 AND r.rolname IN (SELECT rolname FROM missing))";

// What of the restored schema has no place on a node: event triggers, which fire on the coordinator
// (those that are ENABLE ALWAYS would fire for what follows), and passwords of foreign servers.
constexpr const char* kTidyUp = R"(
    DO $tidy$
    DECLARE found record;
    BEGIN
        FOR found IN SELECT evtname FROM pg_catalog.pg_event_trigger LOOP
            EXECUTE format('ALTER EVENT TRIGGER %I DISABLE', found.evtname);
        END LOOP;
        FOR found IN SELECT srvname,
                            CASE WHEN umuser = 0 THEN 'PUBLIC' ELSE quote_ident(usename) END AS who
                     FROM pg_catalog.pg_user_mappings
        LOOP
            EXECUTE format('DROP USER MAPPING FOR %s SERVER %I', found.who, found.srvname);
        END LOOP;
    END $tidy$;
    RESET ALL;)";

std::string array_literal(const pg::Rows& names) {
    std::string text = "{";
    for (const pg::Row& row : names) {
        text += text.size() > 1 ? ",\"" : "\"";
        for (char letter : row[0].value_or("")) {
            text += letter == '"' || letter == '\\' ? "\\" : "";
            text += letter;
        }
        text += '"';
    }
    return text + "}";
}

std::string role_script(PlainSession& session, const std::string& dbname) {
    pg::AsOwner owner;
    std::string script = "SET client_min_messages = warning;\n";
    std::string present = array_literal(session.query("SELECT rolname FROM pg_roles"));
    for (const pg::Row& row : pg::query(kRoleCommands, {present, dbname})) {
        script += row[0].value_or("") + "\n";
    }
    return script;
}

// The role and address by which pg_dump reaches this server itself: the role named as the operating
// system's user, where there is one, is the one that peer authentication lets in.
std::vector<std::string> own_address() {
    pg::AsOwner owner;
    pg::Rows rows = pg::query(
        "SELECT split_part(current_setting('unix_socket_directories'), ',', 1), "
        "current_setting('port'), current_database(), "
        "coalesce((SELECT rolname FROM pg_roles WHERE rolsuper AND rolname = $1), session_user)",
        {pg::operating_system_user()});
    std::string host = rows[0][0]->empty() ? "localhost" : *rows[0][0];
    return {"--host=" + host, "--port=" + *rows[0][1], "--username=" + *rows[0][3],
            "--dbname=dbname=" + transaction::conninfo_value(*rows[0][2])};
}

// psql's own commands in a dump guard against injected ones; the script goes to no psql.
std::string without_restrict(const std::string& dump) {
    std::string script;
    std::size_t at = 0;
    while (at < dump.size()) {
        std::size_t end = dump.find('\n', at);
        end = end == std::string::npos ? dump.size() : end + 1;
        bool psql =
            dump.compare(at, 10, "\\restrict ") == 0 || dump.compare(at, 12, "\\unrestrict ") == 0;
        if (!psql) {
            script.append(dump, at, end - at);
        }
        at = end;
    }
    return script;
}

std::string dump_schema() {
    pg::Program program;
    program.name = "pg_dump";
    program.arguments = own_address();
    for (const char* option : {"--no-password", "--schema-only", "--no-publications",
                               "--no-subscriptions", "--no-tablespaces", "--no-security-labels",
                               "--exclude-schema=herd", "--lock-wait-timeout=30s"}) {
        program.arguments.emplace_back(option);
    }
    program.environment = {"PGOPTIONS=-c lock_timeout=30s -c statement_timeout=0",
                           "PGAPPNAME=pg_herd"};
    try {
        return without_restrict(pg::run_program(program));
    } catch (const Error& error) {
        if (error.state() == sqlstate::kQueryCanceled) {
            throw;
        }
        throw Error(error.state(), "could not dump this database's schema: " + error.message())
            .detail(error.detail())
            .hint(
                "pg_dump must be installed beside the server and be let in without a password "
                "(peer in pg_hba.conf, or a passfile of the server's user).");
    }
}

// The herd's identity first: from then on the link is an internal session there.
void give_identity(transaction::Link& link, NodeId node) {
    const catalog::Catalog& herd = transaction::require_herd();
    std::string version =
        *pg::query_value("SELECT extversion FROM pg_extension WHERE extname = 'pg_herd'");
    // The secret stays out of the node's log.
    link.run_script(
        "SET LOCAL log_statement = 'none'; SET LOCAL log_min_duration_statement = -1; "
        "SET LOCAL log_min_duration_sample = -1; SET LOCAL log_min_error_statement = panic; "
        "SET LOCAL log_transaction_sample_rate = 0; SET LOCAL client_min_messages = warning");
    link.run_script("CREATE EXTENSION IF NOT EXISTS pg_herd VERSION " + pg::quote_literal(version));
    std::string secret;
    for (unsigned char byte : herd.secret) {
        constexpr char kDigits[] = "0123456789abcdef";
        secret += kDigits[byte >> 4U];
        secret += kDigits[byte & 15U];
    }
    link.run_script("SELECT herd.join_herd('" + herd.cluster_id + "', " +
                    std::to_string(herd.term) + ", " + std::to_string(node.value) + ", '" + secret +
                    "')");
}

void copy_reference_tables(NodeId node) {
    std::vector<Oid> relations;
    for (const auto& [relid, table] : transaction::require_herd().tables) {
        if (table.kind == TableKind::kReference && table.root == relid) {
            relations.push_back(relid);
        }
    }
    for (Oid relation : relations) {
        pg::call([&] { ::LockRelationOid(relation, ShareLock); });
        std::uint64_t rows = transaction::send_rows(relation, {node});
        pg::AsOwner owner;
        std::string name =
            *pg::query_value("SELECT $1::oid::regclass::text", {std::to_string(relation)});
        report_step("copied " + std::to_string(rows) + " rows of reference table " + name);
    }
}

}  // namespace

void report_step(const std::string& text) {
    pg::call([&] { ereport(NOTICE, (errmsg_internal("%s", text.c_str()))); });
}

namespace {

std::unique_ptr<PlainSession> connect(const JoinRequest& request) {
    try {
        auto session =
            std::make_unique<PlainSession>(request.server, request.node.name, kStepTimeoutMs);
        session->open();
        return session;
    } catch (const Error& error) {
        if (error.state() != sqlstate::kCannotConnect) {
            throw;
        }
        throw Error(error.state(), error.message())
            .detail(error.detail())
            .hint(
                "Check host, port, dbname and username, and that the server's pg_hba.conf lets "
                "this "
                "host in without a password prompt (peer, passfile or certificate).");
    }
}

}  // namespace

void require_can_join(const JoinRequest& request) {
    if (!pg::call([] { return ::superuser(); })) {
        throw Error(sqlstate::kInsufficientPrivilege, "only a superuser adds nodes");
    }
    check_valid(request.node);
    if (!pg::is_preloaded()) {
        throw Error(sqlstate::kObjectNotInState, "pg_herd is not preloaded on this server")
            .hint("ALTER SYSTEM SET shared_preload_libraries = pg_herd; and restart the server.");
    }
    if (TransactionIdIsValid(::GetTopTransactionIdIfAny())) {
        throw Error(SqlState("25001"), "a node can't be added in a transaction that has written")
            .detail("The node gets the schema as it is committed.")
            .hint("Run herd.add_node in a transaction of its own, one node each.");
    }
    if (transaction::require_coordinator().node(request.node.name) != nullptr) {
        throw Error(sqlstate::kDuplicateObject,
                    "node \"" + request.node.name + "\" exists already");
    }
}

NodeId join_node(const JoinRequest& request) {
    require_can_join(request);
    check_valid(request.server);
    check_options(request.server.options);
    std::unique_ptr<PlainSession> session = connect(request);
    require_fit(request.node.name, find_problems(*session, true));
    report_step("server \"" + request.node.name + "\" is fit to be a node");

    transaction::lock_membership();
    require_can_join(request);
    std::string roles = role_script(*session, request.server.dbname);
    std::string schema = dump_schema();

    NodeId node = catalog::add_node(request.node, request.server, request.data_directory);
    catalog::record_event("node_added", request.node.name,
                          request.server.host + ":" + std::to_string(request.server.port));
    catalog::invalidate();
    transaction::Link& link = transaction::link_to(node);
    give_identity(link, node);
    HERD_FAILPOINT("join.after_identity");
    link.run_script(roles);
    link.run_script("SET session_replication_role = replica;\n" + schema);
    link.run_script(kTidyUp);
    report_step("restored the schema on node \"" + request.node.name + "\"");
    transaction::sync_catalog();
    copy_reference_tables(node);
    worker::start_supervisor_at_commit();
    HERD_FAILPOINT("join.before_end");
    return node;
}

}  // namespace herd::api
