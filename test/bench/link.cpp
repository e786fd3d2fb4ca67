#include "link.hpp"

#include <arpa/inet.h>

#include <stdexcept>

namespace emulation {
namespace {

struct Clearer {
    void operator()(PGresult* result) const { ::PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Clearer>;

constexpr int kBinary = 1;

}  // namespace

Link::Link(const std::string& conninfo, const std::vector<Statement>& statements)
    : connection_(::PQconnectdb(conninfo.c_str())) {
    if (::PQstatus(connection_.get()) != CONNECTION_OK)
        fail("no connection");
    for (const Statement& statement : statements) {
        const Result result(
            ::PQprepare(connection_.get(), statement.name, statement.sql, 0, nullptr));
        if (::PQresultStatus(result.get()) != PGRES_COMMAND_OK)
            fail(statement.sql);
    }
    if (::PQsetnonblocking(connection_.get(), 1) != 0)
        fail("non-blocking mode");
    if (::PQenterPipelineMode(connection_.get()) != 1)
        fail("pipeline mode");
}

int Link::socket() const {
    return ::PQsocket(connection_.get());
}

void Link::send(const std::vector<Call>& calls) {
    for (const Call& call : calls)
        send_one(call);
    if (::PQpipelineSync(connection_.get()) != 1)
        fail("cannot send");
    // Messages of a few hundred bytes fit into the socket's buffer.
    if (::PQflush(connection_.get()) != 0)
        fail("cannot send at once");
}

void Link::send_one(const Call& call) {
    if (call.name == nullptr) {
        if (::PQsendQueryParams(connection_.get(), call.text.c_str(), 0, nullptr, nullptr, nullptr,
                                nullptr, kBinary) != 1) {
            fail(call.text.c_str());
        }
        return;
    }
    std::array<std::int32_t, 3> bytes{};
    std::array<const char*, 3> values{};
    std::array<int, 3> lengths{};
    std::array<int, 3> formats{};
    int count = call.count;
    if (count == 0 && !call.text.empty()) {
        values[0] = call.text.c_str();
        count = 1;
    }
    for (int i = 0; i < call.count; ++i) {
        bytes[i] = static_cast<std::int32_t>(htonl(static_cast<std::uint32_t>(call.numbers[i])));
        values[i] = reinterpret_cast<const char*>(&bytes[i]);
        lengths[i] = sizeof bytes[i];
        formats[i] = kBinary;
    }
    if (::PQsendQueryPrepared(connection_.get(), call.name, count, values.data(), lengths.data(),
                              formats.data(), kBinary) != 1) {
        fail(call.name);
    }
}

bool Link::receive() {
    if (::PQconsumeInput(connection_.get()) != 1)
        fail("connection lost");
    while (::PQisBusy(connection_.get()) == 0) {
        const Result result(::PQgetResult(connection_.get()));
        if (!result)
            continue;  // the end of one call's results
        switch (::PQresultStatus(result.get())) {
            case PGRES_PIPELINE_SYNC:
                return true;
            case PGRES_COMMAND_OK:
            case PGRES_TUPLES_OK:
                break;
            default:
                fail(::PQresultErrorMessage(result.get()));
        }
    }
    return false;
}

void Link::fail(const char* what) const {
    throw std::runtime_error(std::string(what) + ": " + ::PQerrorMessage(connection_.get()));
}

}  // namespace emulation
