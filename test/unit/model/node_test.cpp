#include "model/node.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"

namespace herd {
namespace {

HerdNode node_named(std::string name, double weight = 1) {
    return HerdNode{NodeId{2}, std::move(name), true, weight};
}

Server server_at(std::string host, int port, std::string dbname) {
    Server server;
    server.host = std::move(host);
    server.port = port;
    server.dbname = std::move(dbname);
    return server;
}

template <typename Value>
std::string refusal_of(const Value& value) {
    try {
        check_valid(value);
    } catch (const Error& error) {
        EXPECT_EQ(error.state(), sqlstate::kInvalidParameter);
        EXPECT_FALSE(error.detail().empty());
        return error.message();
    }
    return "accepted";
}

TEST(NodeTest, theCoordinatorIsNodeOne) {
    EXPECT_TRUE((HerdNode{kCoordinator, "coordinator", true, 1}.is_coordinator()));
    EXPECT_FALSE(node_named("alpha").is_coordinator());
}

TEST(NodeTest, acceptsANameOfOneTo63Bytes) {
    EXPECT_EQ(refusal_of(node_named("a")), "accepted");
    EXPECT_EQ(refusal_of(node_named(std::string(63, 'a'))), "accepted");
    EXPECT_EQ(refusal_of(node_named("")), "invalid node name \"\"");
    EXPECT_NE(refusal_of(node_named(std::string(64, 'a'))), "accepted");
}

TEST(NodeTest, acceptsAFiniteWeightAboveZero) {
    EXPECT_EQ(refusal_of(node_named("a", 0.25)), "accepted");
    EXPECT_EQ(refusal_of(node_named("a", 0)), "invalid weight of node \"a\": 0.000000");
    EXPECT_NE(refusal_of(node_named("a", -1)), "accepted");
    EXPECT_NE(refusal_of(node_named("a", std::nan(""))), "accepted");
    EXPECT_NE(refusal_of(node_named("a", std::numeric_limits<double>::infinity())), "accepted");
}

TEST(ServerTest, needsHostPortAndDatabase) {
    EXPECT_EQ(refusal_of(server_at("db1", 5432, "app")), "accepted");
    EXPECT_EQ(refusal_of(server_at("", 5432, "app")), "a server needs a host");
    EXPECT_EQ(refusal_of(server_at("db1", 0, "app")), "invalid port 0 of server \"db1\"");
    EXPECT_EQ(refusal_of(server_at("db1", 65536, "app")), "invalid port 65536 of server \"db1\"");
    EXPECT_EQ(refusal_of(server_at("db1", 1, "")), "server \"db1\" needs a database name");
}

}  // namespace
}  // namespace herd
