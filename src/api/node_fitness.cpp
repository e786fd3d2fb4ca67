#include "api/node_fitness.hpp"

#include <map>

#include "transaction/endpoint.hpp"

namespace herd::api {

namespace {

using Facts = std::map<std::string, std::string>;

// Runs on any PostgreSQL server of any version that could be asked.
constexpr const char* kBasics = R"(
    SELECT 'major', (current_setting('server_version_num')::int / 10000)::text
    UNION ALL SELECT 'version', current_setting('server_version')
    UNION ALL SELECT 'superuser', rolsuper::text FROM pg_roles WHERE rolname = current_user
    UNION ALL SELECT 'standby', pg_is_in_recovery()::text)";

// Equal on all servers of a herd.
constexpr const char* kEqual = R"(
    WITH here AS (SELECT * FROM pg_database WHERE datname = current_database())
    SELECT 'encoding', pg_encoding_to_char(encoding)::text FROM here
    UNION ALL SELECT 'lc_collate', datcollate FROM here
    UNION ALL SELECT 'lc_ctype', datctype FROM here
    UNION ALL SELECT 'locale provider', datlocprovider::text || coalesce(' ' || daticulocale, '')
        FROM here
    UNION ALL SELECT 'collation version',
                     coalesce(pg_database_collation_actual_version(oid), 'none') FROM here
    UNION ALL SELECT 'integer_datetimes', current_setting('integer_datetimes')
    UNION ALL SELECT 'hashes of sample values', md5(concat_ws(',',
        hashint8extended(-4711, 0), hashint4extended(4711, 0),
        hashtextextended('Kürbis und Äpfel', 0), hash_numeric_extended(3.14159, 0),
        uuid_hash_extended('6ecd8c99-4036-403d-bf84-cf8400f67836', 0),
        timestamp_hash_extended('2024-02-29 12:34:56.789', 0), hashfloat8extended(-0.0, 0),
        hashfloat8extended('NaN', 0), hashinetextended('10.1.2.3/8', 0),
        hash_array_extended('{1,NULL,3}'::int[], 0), jsonb_hash_extended('{"a": [1, 2]}', 0))))";

constexpr const char* kSettings = R"(
    SELECT 'max_prepared_transactions', current_setting('max_prepared_transactions')
    UNION ALL SELECT 'max_connections', current_setting('max_connections')
    UNION ALL SELECT 'wal_level', current_setting('wal_level')
    UNION ALL SELECT 'read_only', current_setting('default_transaction_read_only')
    UNION ALL SELECT 'preload', current_setting('shared_preload_libraries')
    UNION ALL SELECT 'installed', coalesce(max(extversion), '')
        FROM pg_extension WHERE extname = 'pg_herd'
    UNION ALL SELECT 'identity', (SELECT system_identifier FROM pg_control_system()) || '/' || oid
        FROM pg_database WHERE datname = current_database())";

// What a schema restored here would collide with.
constexpr const char* kUserObjects = R"(
    WITH objects(classid, objid, name) AS (
        SELECT 'pg_class'::regclass, oid, oid::regclass::text FROM pg_class
            WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
            AND relnamespace <> 'pg_catalog'::regnamespace
        UNION ALL SELECT 'pg_proc'::regclass, oid, oid::regprocedure::text FROM pg_proc
            WHERE pronamespace <> 'pg_catalog'::regnamespace
        UNION ALL SELECT 'pg_type'::regclass, oid, oid::regtype::text FROM pg_type
            WHERE typtype IN ('e', 'd', 'r', 'b') AND typcategory <> 'A'
            AND typnamespace <> 'pg_catalog'::regnamespace
        UNION ALL SELECT 'pg_namespace'::regclass, oid, 'schema ' || nspname FROM pg_namespace
            WHERE nspname NOT IN ('public', 'information_schema') AND nspname !~ '^pg_')
    SELECT name FROM objects o
    WHERE name !~ '^(information_schema|pg_toast)' AND objid >= 16384 AND NOT EXISTS
        (SELECT 1 FROM pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid
         AND deptype = 'e')
    ORDER BY name LIMIT 6)";

constexpr const char* kRoles = R"(
    SELECT rolname, concat_ws(' ', CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END,
        CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END,
        CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END)
    FROM pg_roles WHERE rolname !~ '^pg_')";

constexpr const char* kExtensions = "SELECT extname, extversion FROM pg_extension";
constexpr const char* kOfferedExtensions = R"(
    SELECT a.name, coalesce(installed_version, default_version) FROM pg_available_extensions a)";

Facts facts_of(const pg::Rows& rows) {
    Facts facts;
    for (const pg::Row& row : rows) {
        facts[row[0].value_or("")] = row[1].value_or("");
    }
    return facts;
}

Facts local_facts(const char* sql) {
    pg::AsOwner owner;
    return facts_of(pg::query(sql));
}

void check_basics(const Facts& there, std::vector<Problem>& problems) {
    Facts here = local_facts(kBasics);
    if (there.at("major") != here.at("major")) {
        problems.push_back({"its PostgreSQL is " + there.at("version") + ", the coordinator's is " +
                                here.at("version") + ": the major versions must be equal",
                            ""});
    }
    if (there.at("superuser") != "true") {
        problems.push_back({"the user it is reached as is no superuser",
                            "ALTER ROLE ... SUPERUSER, or give add_node another username"});
    }
    if (there.at("standby") == "true") {
        problems.push_back({"it is a standby: name its primary", ""});
    }
}

Problem unequal(const std::string& name, const std::string& there, const std::string& here) {
    bool of_database = name != "integer_datetimes" && name != "hashes of sample values";
    return {name + " is " + there + ", the coordinator's is " + here,
            of_database ? "recreate the database there with the coordinator's " + name +
                              " (CREATE DATABASE ... TEMPLATE template0)"
                        : ""};
}

void check_equal(const Facts& there, std::vector<Problem>& problems) {
    for (const auto& [name, value] : local_facts(kEqual)) {
        if (there.at(name) != value) {
            problems.push_back(unequal(name, there.at(name), value));
        }
    }
}

void check_settings(const Facts& there, std::vector<Problem>& problems) {
    if (there.at("max_prepared_transactions") == "0") {
        problems.push_back(
            {"max_prepared_transactions is 0, commits over several nodes need some",
             "ALTER SYSTEM SET max_prepared_transactions = " + there.at("max_connections") + ";",
             true});
    }
    if (there.at("wal_level") != "logical") {
        problems.push_back(
            {"wal_level is " + there.at("wal_level") + ", moving shards online needs logical",
             "ALTER SYSTEM SET wal_level = 'logical';", true});
    }
    const std::string& preload = there.at("preload");
    if (preload.find("pg_herd") == std::string::npos) {
        std::string wanted = preload.empty() ? "pg_herd" : preload + ", pg_herd";
        problems.push_back({"shared_preload_libraries is '" + preload + "', without pg_herd",
                            "ALTER SYSTEM SET shared_preload_libraries = " + wanted + ";", true});
    }
    if (there.at("read_only") == "on") {
        problems.push_back({"default_transaction_read_only is on",
                            "ALTER SYSTEM SET default_transaction_read_only = off;"});
    }
}

// Tried out and taken back: a list of what is available may leave out where the server looks.
void check_extension_available(PlainSession& session, std::vector<Problem>& problems) {
    std::string version = local_facts(kSettings).at("installed");
    session.query("BEGIN");
    try {
        session.query("CREATE EXTENSION IF NOT EXISTS pg_herd VERSION " +
                      pg::quote_literal(version));
    } catch (const Error& error) {
        if (error.state() == sqlstate::kNodeUnavailable ||
            error.state() == sqlstate::kConnectionFailure ||
            error.state() == sqlstate::kQueryCanceled) {
            throw;  // no judgement of the server
        }
        problems.push_back(
            {"the extension pg_herd " + version + " can't be created there: " + error.message(),
             "install pg_herd " + version + " on its host"});
    }
    session.query("ROLLBACK");
}

Problem unlike_role(const std::string& name, const std::string& there, const std::string& here) {
    return {"role " + name + " is " + there + " there and " + here + " on the coordinator",
            "ALTER ROLE " + pg::quote_identifier(name) + " " + here + ";"};
}

void check_roles(PlainSession& session, std::vector<Problem>& problems) {
    Facts there = facts_of(session.query(kRoles));
    for (const auto& [name, attributes] : local_facts(kRoles)) {
        auto found = there.find(name);
        if (found != there.end() && found->second != attributes) {
            problems.push_back(unlike_role(name, found->second, attributes));
        }
    }
}

Problem missing_extension(const std::string& name, const std::string& version) {
    return {"the extension " + name + " is not available there",
            "install " + name + " " + version + " on its host"};
}

Problem other_version(const std::string& name, const std::string& there, const std::string& here) {
    return {
        "the extension " + name + " would have version " + there + ", the coordinator's is " + here,
        "CREATE EXTENSION " + pg::quote_identifier(name) + " VERSION " + pg::quote_literal(here) +
            ";"};
}

void check_extensions(PlainSession& session, std::vector<Problem>& problems) {
    Facts there = facts_of(session.query(kOfferedExtensions));
    for (const auto& [name, version] : local_facts(kExtensions)) {
        auto found = there.find(name);
        if (name == "pg_herd") {
            continue;
        }
        if (found == there.end()) {
            problems.push_back(missing_extension(name, version));
        } else if (found->second != version) {
            problems.push_back(other_version(name, found->second, version));
        }
    }
}

// A database that is a node or a coordinator already is not free; one that has only the extension
// is.
void check_membership(PlainSession& session, const Facts& there, std::vector<Problem>& problems) {
    if (there.at("identity") == local_facts(kSettings).at("identity")) {
        problems.push_back({"it is the coordinator's own database: name another one", ""});
        return;
    }
    if (there.at("installed").empty()) {
        return;
    }
    pg::Rows rows = session.query(
        "SELECT cluster_id, self_node <> 1 OR (SELECT count(*) > 1 FROM herd.node) OR "
        "EXISTS (SELECT 1 FROM herd.distributed_table) FROM herd.cluster");
    if (!rows.empty() && rows[0][1] == pg::Field("t")) {
        std::string own = transaction::require_herd().cluster_id;
        bool ours = rows[0][0] == pg::Field(own);
        problems.push_back({ours ? "it is or was a node of this herd"
                                 : "it is in another herd, " + rows[0][0].value_or(""),
                            "DROP EXTENSION pg_herd; and drop the tables, in that database"});
    }
}

void check_free(PlainSession& session, std::vector<Problem>& problems) {
    std::string names;
    int count = 0;
    for (const pg::Row& row : session.query(kUserObjects)) {
        ++count;
        names +=
            (names.empty() ? "" : ", ") + (count > 5 ? std::string("...") : row[0].value_or(""));
    }
    if (!names.empty()) {
        problems.push_back({"its database is not empty: " + names,
                            "drop them, or give add_node an empty database (CREATE DATABASE)"});
    }
}

// libpq ends its messages with a line break.
std::string one_line(const char* message) {
    std::string text = message == nullptr ? "" : message;
    while (!text.empty() && text.back() == '\n') {
        text.pop_back();
    }
    return text;
}

}  // namespace

std::vector<Problem> find_problems(PlainSession& session, bool joining) {
    std::vector<Problem> problems;
    check_basics(facts_of(session.query(kBasics)), problems);
    if (!problems.empty()) {
        return problems;  // the other queries may not even run there
    }
    Facts settings = facts_of(session.query(kSettings));
    check_equal(facts_of(session.query(kEqual)), problems);
    check_settings(settings, problems);
    check_roles(session, problems);
    check_extensions(session, problems);
    if (joining) {
        check_extension_available(session, problems);
        check_membership(session, settings, problems);
        check_free(session, problems);
    }
    return problems;
}

void require_fit(const std::string& node, const std::vector<Problem>& problems) {
    if (problems.empty()) {
        return;
    }
    std::string detail;
    std::string hint;
    bool restart = false;
    for (const Problem& problem : problems) {
        detail += (detail.empty() ? "" : "\n") + problem.text;
        restart = restart || problem.restart;
        if (!problem.command.empty()) {
            hint += "\n" + problem.command;
        }
    }
    if (restart) {
        hint += "\nrestart the server";
    }
    throw Error(sqlstate::kNodeNotFit, "server \"" + node + "\" can't be a node of this herd")
        .detail(detail)
        .hint(hint.empty() ? "" : "On that server:" + hint);
}

void check_options(const std::string& options) {
    struct Parsed {
        PQconninfoOption* list = nullptr;
        char* message = nullptr;
        ~Parsed() {
            ::PQconninfoFree(list);
            ::PQfreemem(message);
        }
    } parsed;
    parsed.list = ::PQconninfoParse(options.c_str(), &parsed.message);
    if (parsed.list == nullptr) {
        throw Error(sqlstate::kInvalidParameter, "invalid connection options")
            .detail(one_line(parsed.message))
            .hint("options takes libpq's own: sslmode, sslrootcert, passfile, service and so on.");
    }
    for (const PQconninfoOption* option = parsed.list; option->keyword != nullptr; ++option) {
        std::string name = option->keyword;
        if (option->val == nullptr || *option->val == '\0') {
            continue;
        }
        if (name == "password" || name == "sslpassword") {
            throw Error(sqlstate::kInvalidParameter,
                        "a " + name + " can't be kept in the catalogue")
                .hint(
                    "Use a passfile, a service file, a client certificate, or peer "
                    "authentication.");
        }
        if (name == "host" || name == "hostaddr" || name == "port" || name == "dbname" ||
            name == "user" || name == "options" || name == "replication") {
            throw Error(sqlstate::kInvalidParameter, "option " + name + " is not for options")
                .hint("host, port, dbname and username are arguments of their own.");
        }
    }
}

}  // namespace herd::api
