#include "api/local_server.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "api/plain_session.hpp"
#include "pg/failpoint.hpp"
#include "pg/process.hpp"

extern "C" {
#include "libpq/pqcomm.h"
#include "postmaster/postmaster.h"
}

namespace herd::api {

namespace {

constexpr int kPortsTried = 200;
constexpr int kStarts = 5;  // each with another port

// The settings of this server that its sibling shares, as they are.
constexpr const char* kShared[] = {"shared_preload_libraries",
                                   "dynamic_library_path",
                                   "extension_destdir",
                                   "max_connections",
                                   "max_worker_processes",
                                   "max_wal_senders",
                                   "max_replication_slots",
                                   "max_locks_per_transaction",
                                   "fsync",
                                   "full_page_writes",
                                   "TimeZone",
                                   "log_timezone",
                                   "DateStyle",
                                   "IntervalStyle",
                                   "lc_messages",
                                   "lc_monetary",
                                   "lc_numeric",
                                   "lc_time",
                                   "default_text_search_config",
                                   "jit"};

std::string setting(const std::string& name) {
    pg::AsOwner owner;
    return pg::query_value("SELECT current_setting($1, true)", {name}).value_or("");
}

// Quoted as in postgresql.conf.
std::string quoted(const std::string& value) {
    std::string text = "'";
    for (char letter : value) {
        text += letter == '\'' ? "''" : letter == '\\' ? "\\\\" : std::string(1, letter);
    }
    return text + "'";
}

bool is_free_address(int port) {
    int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool bound = ::bind(socket, reinterpret_cast<struct sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    return bound;
}

void require_plain_name(const std::string& name) {
    bool plain =
        !name.empty() && name[0] != '.' &&
        std::all_of(name.begin(), name.end(), [](unsigned char letter) {
            return std::isalnum(letter) != 0 || letter == '_' || letter == '-' || letter == '.';
        });
    if (!plain) {
        throw Error(sqlstate::kInvalidParameter,
                    "node name \"" + name + "\" can't name a directory")
            .hint("Use letters, digits, _ and -, or give data_directory.");
    }
}

std::string choose_directory(const std::string& name, const std::string& wanted) {
    if (wanted.empty()) {
        require_plain_name(name);
        std::string own = ::DataDir;
        return own.substr(0, own.rfind('/')) + "/" + name;
    }
    std::string own = std::string(::DataDir) + "/";
    if (wanted[0] != '/' || (wanted + "/").compare(0, own.size(), own) == 0) {
        throw Error(sqlstate::kInvalidParameter, "data_directory \"" + wanted + "\" can't be used")
            .hint("It is an absolute path, outside of this server's own data directory.");
    }
    return wanted;
}

void require_empty(const std::string& directory) {
    DIR* handle = ::opendir(directory.c_str());
    if (handle == nullptr) {
        return;
    }
    bool empty = true;
    while (const struct dirent* entry = ::readdir(handle)) {
        empty = empty &&
                (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0);
    }
    ::closedir(handle);
    if (!empty) {
        throw Error(sqlstate::kInvalidParameter, "directory \"" + directory + "\" is not empty")
            .hint("Give another data_directory, or remove what an earlier attempt has left there.");
    }
}

// Also no socket may be there that has the port in its name: servers that listen to no address
// share a directory of sockets.
bool is_free(int port, const std::string& socket_directory) {
    std::string lock = socket_directory + "/.s.PGSQL." + std::to_string(port) + ".lock";
    return is_free_address(port) && ::access(lock.c_str(), F_OK) != 0;
}

// A local node that is stopped wants its port back.
bool is_taken_in_herd(int port) {
    pg::AsOwner owner;
    return pg::query_value(
               "SELECT 1 FROM herd.server WHERE port = $1::int4 AND data_directory IS NOT NULL",
               {std::to_string(port)})
        .has_value();
}

// A port that nobody has, from the one given on. Others may take it at any time.
int choose_port(int first, const std::string& socket_directory) {
    for (int port = first; port < first + kPortsTried && port < 65536; ++port) {
        if (is_free(port, socket_directory) && !is_taken_in_herd(port)) {
            return port;
        }
    }
    throw Error(sqlstate::kObjectNotInState, "no free port was found").hint("Name one.");
}

void require_port(int port, const std::string& socket_directory) {
    if (port < 1 || port > 65535 || !is_free(port, socket_directory)) {
        throw Error(sqlstate::kInvalidParameter, "port " + std::to_string(port) + " can't be used")
            .hint("Leave the port out, and a free one is taken.");
    }
}

// Inside the data directory, which nobody else may enter; beside this server's own socket where the
// path would be too long for one.
std::string socket_directory(const std::string& data_directory) {
    std::string path = data_directory + "/herd_socket";
    if (path.size() + sizeof "/.s.PGSQL.65535.lock" <= UNIXSOCK_PATH_BUFLEN) {
        return path;
    }
    std::string own = setting("unix_socket_directories");
    own.resize(std::min(own.size(), own.find(',')));
    if (own.empty()) {
        throw Error(sqlstate::kInvalidParameter,
                    "the path of data_directory is too long for a socket")
            .detail(path)
            .hint("Give a shorter data_directory.");
    }
    return own;
}

std::string bootstrap_superuser() {
    pg::AsOwner owner;
    return *pg::query_value("SELECT rolname FROM pg_roles WHERE oid = 10");
}

void write_file(const std::string& path, const std::string& text, std::ios::openmode mode) {
    std::ofstream file(path, mode);
    file << text;
    file.close();
    if (!file) {
        throw Error(SqlState("58030"), "could not write \"" + path + "\"");
    }
}

std::string end_of_file(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    std::string all = text.str();
    constexpr std::size_t kMost = 2000;
    return all.size() > kMost ? all.substr(all.size() - kMost) : all;
}

}  // namespace

LocalServer::LocalServer(const std::string& name, int port, const std::string& data_directory)
    : name_(name), data_directory_(choose_directory(name, data_directory)) {
    while (data_directory_.size() > 1 && data_directory_.back() == '/') {
        data_directory_.pop_back();
    }
    require_empty(data_directory_);
    server_.host = socket_directory(data_directory_);
    if (port != 0) {
        require_port(port, server_.host);
        port_is_given_ = true;
    }
    server_.port = port != 0 ? port : choose_port(::PostPortNumber + 1, server_.host);
    server_.username = bootstrap_superuser();
    pg::AsOwner owner;
    server_.dbname = *pg::query_value("SELECT current_database()");
}

void LocalServer::initialize() {
    pg::Row locale;
    {
        pg::AsOwner owner;
        locale = pg::query(
                     "SELECT pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider, "
                     "daticulocale FROM pg_database WHERE datname = current_database()")
                     .at(0);
    }
    pg::Program program;
    program.name = "initdb";
    program.arguments = {"--pgdata=" + data_directory_,
                         "--username=" + server_.username,
                         "--encoding=" + *locale[0],
                         "--lc-collate=" + *locale[1],
                         "--lc-ctype=" + *locale[2],
                         "--auth-local=peer",
                         "--auth-host=reject",
                         "--no-instructions",
                         "--lc-messages=" + setting("lc_messages")};
    if (*locale[3] == "i") {
        program.arguments.emplace_back("--locale-provider=icu");
        program.arguments.push_back("--icu-locale=" + locale[4].value_or(""));
    }
    if (setting("data_checksums") == "on") {
        program.arguments.emplace_back("--data-checksums");
    }
    if (setting("fsync") == "off") {
        program.arguments.emplace_back("--no-sync");
    }
    made_directory_ = true;
    pg::run_program(program);
    write_settings();
}

void LocalServer::write_settings() {
    std::string text = "\n# Written by herd.add_local_node.\n";
    auto add = [&](const std::string& name, const std::string& value) {
        text += name + " = " + quoted(value) + "\n";
    };
    for (const char* name : kShared) {
        std::string value = setting(name);
        if (!value.empty()) {
            add(name, value);
        }
    }
    int prepared = std::max(std::stoi(setting("max_prepared_transactions")),
                            std::stoi(setting("max_connections")));
    add("max_prepared_transactions", std::to_string(prepared));
    add("wal_level", "logical");
    add("port", std::to_string(server_.port));
    add("listen_addresses", "localhost");
    add("unix_socket_directories", server_.host);
    add("cluster_name", name_.substr(0, 63));
    add("logging_collector", "on");
    add("log_filename", "postgresql-%a.log");
    add("log_truncate_on_rotation", "on");
    write_file(data_directory_ + "/postgresql.conf", text, std::ios::app);

    std::string user = pg::operating_system_user();
    std::string role = "\"" + server_.username + "\"";
    write_file(data_directory_ + "/pg_ident.conf",
               "# Written by herd.add_local_node: this server's user is the herd's superuser.\n"
               "herd  " +
                   user + "  " + role + "\n",
               std::ios::trunc);
    write_file(data_directory_ + "/pg_hba.conf",
               "# Written by herd.add_local_node. Links of the herd come through the socket.\n"
               "local  all          " +
                   role +
                   "  peer map=herd\n"
                   "local  all          all  peer\n"
                   "local  replication  " +
                   role +
                   "  peer map=herd\n"
                   "host   all          all  127.0.0.1/32  scram-sha-256\n"
                   "host   all          all  ::1/128       scram-sha-256\n",
               std::ios::trunc);
    if (server_.host == data_directory_ + "/herd_socket" &&
        ::mkdir(server_.host.c_str(), 0700) != 0) {
        throw Error(SqlState("58030"), "could not make directory \"" + server_.host + "\"");
    }
}

void LocalServer::start() {
    HERD_FAILPOINT("local_node.before_start");
    for (int attempt = 1;; ++attempt) {
        try {
            start_server(data_directory_);
            return;
        } catch (const Error& error) {
            bool taken =
                error.state() != sqlstate::kQueryCanceled && !is_free(server_.port, server_.host);
            if (port_is_given_ || !taken || attempt == kStarts) {
                throw;
            }
        }
        // Somebody has taken the port since it was chosen.
        server_.port = choose_port(server_.port + 1, server_.host);
        write_file(data_directory_ + "/postgresql.conf",
                   "port = " + std::to_string(server_.port) + "\n", std::ios::app);
    }
}

void LocalServer::create_database() {
    if (server_.dbname == "postgres" || server_.dbname == "template1") {
        return;
    }
    Server maintenance = server_;
    maintenance.dbname = "postgres";
    PlainSession session(maintenance, name_, 60'000);
    session.query("CREATE DATABASE " + pg::quote_identifier(server_.dbname) +
                  " TEMPLATE template0");
}

void LocalServer::destroy() noexcept {
    if (!made_directory_) {
        return;
    }
    try {
        if (::access((data_directory_ + "/postmaster.pid").c_str(), F_OK) == 0) {
            stop_server(data_directory_);
        }
    } catch (...) {
    }
    try {
        pg::call([&] { return ::rmtree(data_directory_.c_str(), true); });
    } catch (...) {
    }
}

void start_server(const std::string& data_directory) {
    std::string log = data_directory + "/startup.log";
    pg::Program program;
    program.name = "pg_ctl";
    program.arguments = {"start",         "--pgdata=" + data_directory,
                         "--log=" + log,  "--wait",
                         "--timeout=180", "--silent"};
    try {
        pg::run_program(program);
    } catch (const Error& error) {
        if (error.state() == sqlstate::kQueryCanceled) {
            throw;
        }
        throw Error(error.state(), "could not start the server in \"" + data_directory + "\"")
            .detail(error.detail() + end_of_file(log))
            .hint("Its log has the reason: " + data_directory + "/log.");
    }
}

void stop_server(const std::string& data_directory) {
    pg::Program program;
    program.name = "pg_ctl";
    program.arguments = {
        "stop", "--pgdata=" + data_directory, "--mode=fast", "--wait", "--timeout=60", "--silent"};
    pg::run_program(program);
}

}  // namespace herd::api
