// What a herd would reach at best: sends the messages that it must send, to a coordinator and two
// nodes, and does nothing else. Prints transactions per second as pgbench does.
//
//   emulate WORKLOAD CLIENTS SECONDS ROWS COORDINATOR NODE1 NODE2     (the last three: conninfo)
//
// Two threads, as `pgbench -j 2`, have the sessions of all clients.
#include <sys/epoll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <thread>

#include "workloads.hpp"

namespace emulation {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kThreads = 2;

struct Task {
    const Workload* workload;
    int clients;
    double seconds;
    int rows;
    std::vector<std::string> servers;
};

// One client and what the coordinator's session does for it.
class Session {
public:
    Session(const Task& task, int number) : task_(task), number_(number), random_(1000U + number) {
        for (const std::string& server : task.servers)
            links_.emplace_back(server, statements());
    }

    int socket(std::size_t link) const { return links_[link].socket(); }

    void begin() {
        Chance chance{random_, task_.rows,
                      "b" + std::to_string(number_) + "_" + std::to_string(++transactions_)};
        plan_ = task_.workload->plan(chance);
        step_ = 0;
        send();
    }

    // A link has something to read; true when that ended a transaction.
    bool proceed(std::size_t link) {
        if (!links_[link].receive() || --outstanding_ > 0)
            return false;
        if (++step_ == plan_.size())
            return true;
        send();
        return false;
    }

private:
    void send() {
        outstanding_ = plan_[step_].size();
        for (const Exchange& exchange : plan_[step_])
            links_[exchange.link].send(exchange.calls);
    }

    const Task& task_;
    int number_;
    std::mt19937 random_;
    std::vector<Link> links_;
    Plan plan_;
    std::size_t step_ = 0;
    std::size_t outstanding_ = 0;
    long transactions_ = 0;
};

// The sessions of one thread: those whose number has this remainder.
class Driver {
public:
    Driver(const Task& task, int remainder) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        for (int i = remainder; i < task.clients; i += kThreads)
            sessions_.emplace_back(task, i);
        for (std::size_t i = 0; i < sessions_.size() * kLinks; ++i) {
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = i;
            const int socket = sessions_[i / kLinks].socket(i % kLinks);
            if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0)
                throw std::runtime_error("epoll_ctl");
        }
    }
    ~Driver() { ::close(epoll_); }
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;

    // Transactions until the time is over. Those that have begun are finished, so that no row
    // stays locked and nothing prepared.
    long run(Clock::time_point end) {
        for (Session& session : sessions_)
            session.begin();
        std::size_t busy = sessions_.size();
        while (busy > 0) {
            epoll_event events[64];
            const int count = ::epoll_wait(epoll_, events, 64, -1);
            for (int i = 0; i < count; ++i) {
                Session& session = sessions_[events[i].data.u64 / kLinks];
                if (!session.proceed(events[i].data.u64 % kLinks))
                    continue;
                if (Clock::now() < end) {
                    ++transactions_;
                    session.begin();
                } else {
                    --busy;
                }
            }
        }
        return transactions_;
    }

private:
    int epoll_;
    std::vector<Session> sessions_;
    long transactions_ = 0;
};

double rate(const Task& task) {
    std::vector<std::unique_ptr<Driver>> drivers;
    for (int i = 0; i < kThreads; ++i)
        drivers.push_back(std::make_unique<Driver>(task, i));
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(task.seconds));
    std::atomic<long> transactions{0};
    std::vector<std::exception_ptr> errors(kThreads);
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&, i] {
            try {
                transactions += drivers[i]->run(end);
            } catch (...) {
                errors[i] = std::current_exception();
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    for (const std::exception_ptr& error : errors) {
        if (error)
            std::rethrow_exception(error);
    }
    return static_cast<double>(transactions.load()) / task.seconds;
}

const Workload& find_workload(const char* name) {
    for (const Workload& workload : workloads()) {
        if (std::strcmp(workload.name, name) == 0)
            return workload;
    }
    throw std::runtime_error(std::string("no workload ") + name);
}

}  // namespace
}  // namespace emulation

int main(int argc, char** argv) {
    using namespace emulation;
    if (argc != 5 + static_cast<int>(kLinks)) {
        std::fputs("usage: emulate WORKLOAD CLIENTS SECONDS ROWS COORDINATOR NODE1 NODE2\n",
                   stderr);
        return 2;
    }
    try {
        const Task task{&find_workload(argv[1]),
                        std::atoi(argv[2]),
                        std::atof(argv[3]),
                        std::atoi(argv[4]),
                        {argv + 5, argv + argc}};
        std::printf("tps = %.1f\n", rate(task));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "emulate: %s\n", error.what());
        return 1;
    }
    return 0;
}
