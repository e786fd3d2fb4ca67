#include "transaction/connection_settings.hpp"

#include <climits>

extern "C" {
#include "postgres.h"

#include "utils/guc.h"
}

namespace herd::transaction {

namespace {

constexpr int kTenMinutes = 600'000;
constexpr int kTenSeconds = 10'000;
constexpr int kMostPrepared = 500;
constexpr int kMostConnections = 262'143;  // as many as PostgreSQL lets a server have

int idle_setting = kTenMinutes;
int most_setting = 0;
int wait_setting = kTenSeconds;
int prepared_setting = kMostPrepared;

}  // namespace

int idle_connection_timeout() {
    return idle_setting;
}

int max_connections_per_node() {
    return most_setting;
}

int max_prepared_per_node() {
    return prepared_setting;
}

int connection_timeout() {
    return wait_setting;
}

void define_connection_settings() {
    ::DefineCustomIntVariable(
        "herd.idle_connection_timeout",
        "Time after which a session closes a connection to a node that it has not used.",
        "Zero keeps connections until the session ends.", &idle_setting, kTenMinutes, 0, INT_MAX,
        PGC_USERSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
    ::DefineCustomIntVariable("herd.max_connections_per_node",
                              "Most connections that all sessions of a database have to a node.",
                              "Zero: no limit.", &most_setting, 0, 0, kMostConnections, PGC_SIGHUP,
                              0, nullptr, nullptr, nullptr);
    ::DefineCustomIntVariable(
        "herd.connection_timeout",
        "Time that a session waits for its turn to connect to a node, and then for the connection.",
        nullptr, &wait_setting, kTenSeconds, 100, INT_MAX, PGC_USERSET, GUC_UNIT_MS, nullptr,
        nullptr, nullptr);
    ::DefineCustomIntVariable(
        "herd.max_prepared_per_node", "Most prepared statements that a session keeps on each node.",
        "Those that it has not used for the longest time go first. Zero: none.", &prepared_setting,
        kMostPrepared, 0, INT_MAX, PGC_USERSET, 0, nullptr, nullptr, nullptr);
}

}  // namespace herd::transaction
