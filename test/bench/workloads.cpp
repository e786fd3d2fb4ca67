#include "workloads.hpp"

#include <algorithm>

namespace emulation {
namespace {

Call call(const char* name) {
    return {name};
}
Call call(const char* name, int a) {
    return {name, {a}, 1};
}
Call call(const char* name, int a, int b) {
    return {name, {a, b}, 2};
}

std::size_t node_of(int id) {
    return 1 + static_cast<std::size_t>(id % 2);
}

int any_row(Chance& chance) {
    return std::uniform_int_distribution<int>(1, chance.rows)(chance.random);
}

// A statement of the client, before it goes to a node: the coordinator's part of it does nothing.
Step client(const char* name = "nothing") {
    return {{kCoordinator, {call(name)}}};
}

Step to_node(int id, std::vector<Call> calls) {
    return {{node_of(id), std::move(calls)}};
}

Plan point_read(Chance& chance) {
    const int id = any_row(chance);
    return {client(), to_node(id, {call("read", id)})};
}

// The coordinator answers for its third of the rows itself, as any server would.
Plan third_here(Chance& chance) {
    const int id = any_row(chance);
    if (id % 3 == 0)
        return {{{kCoordinator, {call("read", id)}}}};
    return {client(), to_node(id, {call("read", id)})};
}

Plan update(Chance& chance) {
    const int id = any_row(chance);
    return {client(), to_node(id, {call("change", id, 1)})};
}

Plan insert(Chance& chance) {
    const int id = any_row(chance);
    return {client(), to_node(id, {call("insert", id, 1)})};
}

Plan five_statements(Chance& chance) {
    const int id = any_row(chance);
    return {
        client("begin"),
        client(),
        to_node(id, {call("begin"), call("read", id)}),
        client(),
        to_node(id, {call("change", id, -1)}),
        client(),
        to_node(id, {call("read_note", id)}),
        client(),
        to_node(id, {call("write_note", id)}),
        client(),
        to_node(id, {call("read_both", id)}),
        client("commit"),
        to_node(id, {call("commit")}),
    };
}

Call prepare_transaction(const std::string& name) {
    return {nullptr, {}, 0, "PREPARE TRANSACTION '" + name + "'"};
}

Call commit_prepared(const std::string& name) {
    return {nullptr, {}, 0, "COMMIT PREPARED '" + name + "'"};
}

Call decision(const std::string& name) {
    return {"decide", {}, 0, name};
}

// BEGIN, and the changes of two rows.
Plan two_changes(int from, int to) {
    Plan plan{client("begin"), client(), to_node(from, {call("begin"), call("change", from, -1)}),
              client()};
    std::vector<Call> second;
    if (node_of(to) != node_of(from))
        second.push_back(call("begin"));
    second.push_back(call("change", to, 1));
    plan.push_back(to_node(to, std::move(second)));
    return plan;
}

// Two phases, with the decision in the coordinator's commit.
void commit_by_coordinator(Plan& plan, int from, int to, const std::string& name) {
    plan.push_back(
        {{node_of(from), {prepare_transaction(name)}}, {node_of(to), {prepare_transaction(name)}}});
    plan.push_back({{kCoordinator, {decision(name), call("commit")}}});
    plan.push_back(
        {{node_of(from), {commit_prepared(name)}}, {node_of(to), {commit_prepared(name)}}});
}

// Two phases, with the decision in the commit of the node that wrote last.
void commit_by_last_agent(Plan& plan, int from, int to, const std::string& name) {
    plan.push_back(client("commit"));
    plan.push_back(to_node(from, {prepare_transaction(name)}));
    plan.push_back(to_node(to, {decision(name), call("commit")}));
    plan.push_back(to_node(from, {commit_prepared(name)}));
}

using Commit = void (*)(Plan& plan, int from, int to, const std::string& name);

// The rows in ascending order of place, so that no two sessions wait for each other.
Plan transfer(Chance& chance, int from, int to, Commit commit) {
    if (node_of(from) > node_of(to))
        std::swap(from, to);
    Plan plan = two_changes(from, to);
    if (node_of(from) == node_of(to)) {
        plan.push_back(client("commit"));
        plan.push_back(to_node(from, {call("commit")}));
    } else {
        commit(plan, from, to, chance.name);
    }
    return plan;
}

Plan transfer_between(Chance& chance, Commit commit) {
    const int pairs = chance.rows / 2 - 1;
    std::uniform_int_distribution<int> pair(1, pairs);
    return transfer(chance, 2 * pair(chance.random), 2 * pair(chance.random) + 1, commit);
}

Plan transfer_any(Chance& chance, Commit commit) {
    const int a = any_row(chance);
    const int b = any_row(chance);
    return transfer(chance, std::min(a, b), std::max(a, b), commit);
}

Plan lookup(Chance& chance) {
    const int value = any_row(chance);
    return {client(), {{1, {call("lookup", value)}}, {2, {call("lookup", value)}}}};
}

Plan count_small(Chance& /*chance*/) {
    return {client(), {{1, {call("count")}}, {2, {call("count")}}}};
}

}  // namespace

const std::vector<Workload>& workloads() {
    static const std::vector<Workload> all{
        {"read", point_read},
        {"read_third", third_here},
        {"update", update},
        {"insert", insert},
        {"five", five_statements},
        {"transfer",
         [](Chance& chance) { return transfer_between(chance, commit_by_coordinator); }},
        {"transfer_random",
         [](Chance& chance) { return transfer_any(chance, commit_by_coordinator); }},
        {"transfer_agent",
         [](Chance& chance) { return transfer_between(chance, commit_by_last_agent); }},
        {"transfer_random_agent",
         [](Chance& chance) { return transfer_any(chance, commit_by_last_agent); }},
        {"lookup", lookup},
        {"count_small", count_small},
    };
    return all;
}

const std::vector<Statement>& statements() {
    static const std::vector<Statement> all{
        {"nothing", "SELECT"},
        {"begin", "BEGIN"},
        {"commit", "COMMIT"},
        {"decide", "INSERT INTO decisions VALUES ($1)"},
        {"read", "SELECT balance, note FROM accounts WHERE id = $1"},
        {"read_note", "SELECT note FROM accounts WHERE id = $1"},
        {"read_both", "SELECT id, balance, note FROM accounts WHERE id = $1"},
        {"change", "UPDATE accounts SET balance = balance + $2::int WHERE id = $1"},
        {"write_note", "UPDATE accounts SET note = 'b' WHERE id = $1"},
        {"insert", "INSERT INTO history VALUES ($1, $2, 'a')"},
        {"lookup", "SELECT id, name FROM people WHERE email = $1"},
        {"count", "SELECT count(*) FROM small"},
    };
    return all;
}

}  // namespace emulation
