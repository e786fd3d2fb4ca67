// One execution of a remote plan inside a CustomScan: which nodes take part, with which parameters.
#pragma once

#include "catalog/herd_catalog.hpp"
#include "executor/remote_query.hpp"

extern "C" {
#include "nodes/execnodes.h"
#include "nodes/extensible.h"
}

namespace herd::executor {

class RemoteRun {
public:
    // From BeginCustomScan, with CurrentMemoryContext = the query's. Does not talk to any node.
    RemoteRun(::CustomScanState* state, const RemotePlan& plan);

    // Decides who takes part. After it, runs_here() and nodes() are known.
    void choose_owners();
    // For EXPLAIN without execution: as choose_owners, but a key that is not known yet is no error.
    bool try_choose_owners();
    [[nodiscard]] bool runs_here() const { return runs_here_; }
    [[nodiscard]] const std::vector<NodeId>& nodes() const { return nodes_; }
    [[nodiscard]] const RemotePlan& plan() const { return plan_; }

    // Sends the text to the nodes.
    void start();
    // The same when a cursor is being opened: its rows are those of this moment, whatever is
    // written before they are fetched. Must be called last in BeginCustomScan.
    void start_for_cursor();
    [[nodiscard]] RemoteQuery& query() { return packed_ ? *packed_ : query_; }

    // From now on the query's rows are blocks (pack_scan.hpp) of the rows that they would be:
    // before start(). plan_id: of the query with that mark, or 0.
    void pack(const std::string& mark, std::uint64_t plan_id);
    [[nodiscard]] bool is_packed() const { return packed_ != nullptr; }

    // EXPLAIN ANALYZE: once the last row is here, asks the nodes for the plans they ran.
    void fetch_plans();
    struct NodePlan {
        NodeId node;
        std::string text;
        double milliseconds;
    };
    [[nodiscard]] const std::vector<NodePlan>& node_plans() const { return node_plans_; }

private:
    void choose_group_nodes(const catalog::Catalog& herd, const catalog::Group& group);
    // A value that the statement is run with: the client's own parameter as it lies there, or an
    // expression.
    struct Argument {
        const ::ParamExternData* given;
        ::ExprState* compiled;
        Oid type;
    };

    [[nodiscard]] Argument argument_of(::Expr* expression) const;
    // In the current memory context.
    Datum value_of(const Argument& argument, bool* isnull) const;
    std::int64_t hash_of_key();
    std::vector<std::int64_t> hashes_of_keys();
    void evaluate_parameters();

    ::CustomScanState* state_;
    RemotePlan plan_;
    Argument* arguments_ = nullptr;  // the key first, if there is one
    int argument_count_ = 0;
    std::vector<NodeId> nodes_;
    bool runs_here_ = false;
    ParameterSet values_;
    RemoteQuery query_;
    std::unique_ptr<RemoteQuery> packed_;  // instead of query_
    std::vector<NodePlan> node_plans_;
    bool captures_ = false;
};

// Writers of several nodes lock rows on each of them in an order of its own: two of them could
// deadlock where one PostgreSQL would not. So there is one at a time per table group; before the
// first row is locked. PostgreSQL style.
void lock_group_writes(int32 group);

// The number of the statement whose EState it is, for its fragments' common snapshot; no two have
// the same. PostgreSQL style.
std::uint64_t statement_number(::EState* estate);
// The number that the next statement to begin gets, for snapshots that are taken before; and its
// end: the statement has begun (its EState gets the number now if it has not asked for it) or
// failed to.
std::uint64_t reserve_statement_number();
void take_reserved_number(::EState* estate);
// From now on a part of a statement has the number of the whole, as long as its EState lives.
void share_statement_number(::EState* part, ::EState* whole);

}  // namespace herd::executor
