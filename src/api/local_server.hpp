// A PostgreSQL server that the herd makes on this host: initdb, settings, start and stop.
//
// It runs as this server's operating-system user, survives this backend, and is reached through a
// Unix socket with peer authentication, so that no password is needed. Nothing else can log in
// until its pg_hba.conf says so.
#pragma once

#include <string>

#include "model/node.hpp"

namespace herd::api {

class LocalServer {
public:
    // Picks what is empty or 0: a free port, a directory beside this server's. Errors:
    // kInvalidParameter for a name, port or directory that can't be used.
    LocalServer(const std::string& name, int port, const std::string& data_directory);

    [[nodiscard]] const std::string& data_directory() const { return data_directory_; }
    [[nodiscard]] const Server& server() const { return server_; }

    void initialize();
    // Takes another port when somebody else has taken the one that this object has chosen.
    void start();
    // The database that is to become the node.
    void create_database();
    // Stops it and removes the directory, if this object has made it. Never throws.
    void destroy() noexcept;

private:
    void write_settings();

    std::string name_;
    std::string data_directory_;
    Server server_;
    bool port_is_given_ = false;
    bool made_directory_ = false;
};

// Errors: 58000 with the end of its log.
void start_server(const std::string& data_directory);
void stop_server(const std::string& data_directory);

}  // namespace herd::api
