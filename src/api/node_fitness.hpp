// Whether a server can become a node: everything that it lacks, at once.
#pragma once

#include <string>
#include <vector>

#include "api/plain_session.hpp"

namespace herd::api {

struct Problem {
    std::string text;      // "wal_level is replica, it must be logical"
    std::string command;   // what to run there; empty where no command helps
    bool restart = false;  // and then restart the server
};

// What keeps the server from being a node of this herd. `joining`: also whether the database is
// free to become one.
std::vector<Problem> find_problems(PlainSession& session, bool joining);

// Throws kNodeNotFit with all problems in its detail and all commands in its hint.
void require_fit(const std::string& node, const std::vector<Problem>& problems);

// Throws kInvalidParameter for options that libpq does not know, that add_node has arguments for,
// or that hold a secret.
void check_options(const std::string& options);

}  // namespace herd::api
