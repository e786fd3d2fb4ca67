#include "pg/process.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "pg/waiter.hpp"

extern "C" {
extern char** environ;
}

namespace herd::pg {

namespace {

constexpr SqlState kSystemError{"58000"};
// How often the program's standard error is emptied while its standard output is waited for.
constexpr std::int64_t kPollMs = 100;

[[noreturn]] void throw_system_error(const std::string& what, int number) {
    char text[PG_STRERROR_R_BUFLEN];
    throw Error(kSystemError, what).detail(::pg_strerror_r(number, text, sizeof text));
}

class Pipe {
public:
    Pipe() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) {
            throw_system_error("could not make a pipe", errno);
        }
        read_ = ends[0];
        write_ = ends[1];
        ::fcntl(read_, F_SETFL, O_NONBLOCK);
    }
    ~Pipe() {
        close_end(read_);
        close_end(write_);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    [[nodiscard]] int read_end() const { return read_; }
    [[nodiscard]] int write_end() const { return write_; }
    void close_write_end() { close_end(write_); }

    // Takes what is there; false at the end of the file.
    bool drain(std::string& into) const {
        char buffer[8192];
        while (true) {
            ssize_t size = ::read(read_, buffer, sizeof buffer);
            if (size > 0) {
                into.append(buffer, static_cast<std::size_t>(size));
            } else {
                return size < 0 && (errno == EAGAIN || errno == EINTR);
            }
        }
    }

private:
    static void close_end(int& end) {
        if (end >= 0) {
            ::close(end);
            end = -1;
        }
    }
    int read_ = -1;
    int write_ = -1;
};

// A running program; ended with its group if nobody has waited for it.
class Child {
public:
    explicit Child(pid_t pid) : pid_(pid) {}
    ~Child() {
        if (pid_ > 0) {
            ::kill(-pid_, SIGTERM);
            for (int i = 0; i < kPatience && ::waitpid(pid_, nullptr, WNOHANG) == 0; ++i) {
                ::pg_usleep(10'000);
            }
            ::kill(-pid_, SIGKILL);
            while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
            }
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    int wait() {
        while (true) {
            int status = 0;
            pid_t done = ::waitpid(pid_, &status, WNOHANG);
            if (done == pid_) {
                pid_ = 0;
                return status;
            }
            if (done < 0 && errno != EINTR) {
                pid_ = 0;
                throw_system_error("could not wait for a program", errno);
            }
            check_interrupts();
            ::pg_usleep(1000);  // its pipes are closed already, so it is about to end
        }
    }

private:
    static constexpr int kPatience = 100;  // hundredths of a second to clean up after itself
    pid_t pid_;
};

std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> result;
    for (const std::string& text : strings) {
        result.push_back(const_cast<char*>(text.c_str()));
    }
    result.push_back(nullptr);
    return result;
}

std::vector<std::string> clean_environment(const std::vector<std::string>& more) {
    std::vector<std::string> result;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        if (std::strncmp(*entry, "PG", 2) != 0) {
            result.emplace_back(*entry);
        }
    }
    result.insert(result.end(), more.begin(), more.end());
    return result;
}

pid_t spawn(const std::string& path, const Program& program, const Pipe& out, const Pipe& err) {
    std::vector<std::string> arguments = {path};
    arguments.insert(arguments.end(), program.arguments.begin(), program.arguments.end());
    std::vector<std::string> environment = clean_environment(program.environment);

    ::posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files, out.write_end(), 1);
    ::posix_spawn_file_actions_adddup2(&files, err.write_end(), 2);
    ::posix_spawn_file_actions_addclosefrom_np(&files, 3);
    ::posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::sigset_t none;
    ::sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes,
                               POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    pid_t pid = 0;
    int failed = ::posix_spawn(&pid, path.c_str(), &files, &attributes, pointers(arguments).data(),
                               pointers(environment).data());
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
    if (failed != 0) {
        throw_system_error("could not run \"" + path + "\"", failed);
    }
    return pid;
}

}  // namespace

std::string program_directory() {
    std::string path = ::my_exec_path;
    return path.substr(0, path.rfind('/'));
}

std::string operating_system_user() {
    const struct passwd* entry = ::getpwuid(::geteuid());
    return entry == nullptr ? "postgres" : entry->pw_name;
}

std::string run_program(const Program& program) {
    Pipe out;
    Pipe err;
    std::string path = program_directory() + "/" + program.name;
    Child child(spawn(path, program, out, err));
    out.close_write_end();
    err.close_write_end();

    std::string output;
    std::string errors;
    SocketWaiter waiter;
    while (out.drain(output)) {
        err.drain(errors);
        waiter.wait(out.read_end(), WL_SOCKET_READABLE, now_ms() + kPollMs);
    }
    while (err.drain(errors)) {
        waiter.wait(err.read_end(), WL_SOCKET_READABLE, now_ms() + kPollMs);
    }
    int status = child.wait();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        std::string how = WIFEXITED(status)
                              ? "with exit code " + std::to_string(WEXITSTATUS(status))
                              : "by a signal";
        throw Error(kSystemError, program.name + " ended " + how).detail(errors + output);
    }
    return output;
}

}  // namespace herd::pg
