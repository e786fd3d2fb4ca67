#include "executor/explain.hpp"

#include "transaction/endpoint.hpp"

extern "C" {
#include "commands/explain.h"
}

namespace herd::executor {

namespace {

std::string names_of(const catalog::Catalog& herd, const RemoteRun& run, bool local_part) {
    std::string names = local_part && run.runs_here() ? herd.node(herd.self)->name : "";
    for (NodeId id : run.nodes()) {
        const catalog::NodeEntry* node = herd.node(id);
        names += (names.empty() ? "" : ", ") + (node == nullptr ? "?" : node->name);
    }
    return names;
}

// The deparser breaks lines; EXPLAIN has one for each property.
std::string one_line(const char* text) {
    std::string line;
    char quote = '\0';
    for (const char* letter = text; *letter != '\0'; ++letter) {
        if (quote != '\0') {
            quote = *letter == quote ? '\0' : quote;
            line += *letter;
        } else if (*letter == ' ' || *letter == '\n') {
            if (!line.empty() && line.back() != ' ') {
                line += ' ';
            }
        } else {
            quote = *letter == '\'' || *letter == '"' ? *letter : '\0';
            line += *letter;
        }
    }
    return line;
}

std::string indented(const std::string& text, int columns) {
    std::string out(static_cast<std::size_t>(columns), ' ');
    for (char letter : text) {
        out += letter;
        if (letter == '\n') {
            out.append(static_cast<std::size_t>(columns), ' ');
        }
    }
    while (!out.empty() && (out.back() == ' ' || out.back() == '\n')) {
        out.pop_back();
    }
    return out;
}

void explain_node_plan(const std::string& name, const RemoteRun::NodePlan& plan,
                       ::ExplainState* es) {
    pg::call([&] {
        if (es->format == EXPLAIN_FORMAT_TEXT) {
            ::ExplainPropertyFloat(("Node " + name).c_str(), "ms", plan.milliseconds, 3, es);
            std::string text = indented(plan.text, es->indent * 2 + 2);
            ::appendStringInfo(es->str, "%s\n", text.c_str());
        } else {
            ::ExplainOpenGroup("Node", nullptr, true, es);
            ::ExplainPropertyText("Node", name.c_str(), es);
            ::ExplainPropertyFloat("Node Time", "ms", plan.milliseconds, 3, es);
            ::ExplainPropertyText("Node Plan", plan.text.c_str(), es);
            ::ExplainCloseGroup("Node", nullptr, true, es);
        }
    });
}

}  // namespace

void explain_text(const char* text, ::ExplainState* es) {
    std::string sql = one_line(text);
    pg::call([&] { ::ExplainPropertyText("Remote SQL", sql.c_str(), es); });
}

void explain_remote(RemoteRun& run, ::ExplainState* es, bool local_part) {
    const catalog::Catalog& herd = transaction::require_herd();
    const RemotePlan& plan = run.plan();
    bool known = !run.nodes().empty() || run.runs_here();
    std::string route = plan.group_id == 0 ? "every node"
                        : plan.routed      ? "one shard"
                        : plan.by_keys     ? "shards of the keys"
                                           : "fan-out";
    std::string nodes = known ? names_of(herd, run, local_part) : "by the key, at execution";
    std::string sql = one_line(plan.text);
    pg::call([&] {
        ::ExplainPropertyText("Route", route.c_str(), es);
        ::ExplainPropertyText("Nodes", nodes.c_str(), es);
        if (!run.nodes().empty() || !known) {
            ::ExplainPropertyText("Remote SQL", sql.c_str(), es);
        }
    });
    run.fetch_plans();
    for (const RemoteRun::NodePlan& node : run.node_plans()) {
        const catalog::NodeEntry* entry = herd.node(node.node);
        explain_node_plan(entry == nullptr ? "?" : entry->name, node, es);
    }
}

}  // namespace herd::executor
