// Runs one of PostgreSQL's own programs (pg_dump, initdb, pg_ctl) and waits for it.
//
// The program gets no file descriptor of this backend but its three standard ones, a clean signal
// state, a session of its own, and the environment without PG* variables. Waiting services
// interrupts: a cancel ends the program and arrives as herd::Error.
#pragma once

#include <string>
#include <vector>

namespace herd::pg {

struct Program {
    std::string name;  // a program beside the postgres executable
    std::vector<std::string> arguments;
    std::vector<std::string> environment;  // further "NAME=value"
};

// What it wrote to its standard output. Errors: 58000 when it could not run or did not exit with 0,
// with what it wrote to its standard error as the detail.
std::string run_program(const Program& program);

// The directory of this server's programs.
std::string program_directory();

// The user of the operating system that the server runs as.
std::string operating_system_user();

}  // namespace herd::pg
