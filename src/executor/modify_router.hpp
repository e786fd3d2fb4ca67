// Carries the changes of a statement out, on the nodes and here: keeps them all before it writes
// the first, then one statement for each batch, node and action.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "executor/modify_text.hpp"
#include "executor/moved_rows.hpp"
#include "executor/own_statement.hpp"
#include "executor/row_codec.hpp"
#include "model/shard_map.hpp"
#include "pg/key_hash.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "executor/tuptable.h"
#include "utils/tuplesort.h"
}

namespace herd::executor {

class ModifyRouter final : public transaction::Stream {
public:
    // changes: the description of the changes. Built in the query's memory context.
    ModifyRouter(const ModifyPlan& plan, ::TupleDesc changes);
    ~ModifyRouter();
    ModifyRouter(const ModifyRouter&) = delete;
    ModifyRouter& operator=(const ModifyRouter&) = delete;

    // The number of the statement that the changes are a part of, whose other parts see the tables
    // as they were before.
    void share_snapshot(std::uint64_t statement) { statement_ = statement; }
    // Keeps a change; PostgreSQL style, for pg::call.
    void keep(::TupleTableSlot* change) { ::tuplesort_puttupleslot(kept_, change); }
    // Carries them all out. Errors: the nodes' and this server's; 40001 when a row is not as it was
    // read; 21000 when MERGE changes a row twice; kKeyUpdate and 23503 when a row that is to move
    // is referenced by others.
    void carry_out();
    // Rows that were changed.
    [[nodiscard]] std::uint64_t affected() const { return affected_; }
    // The changes with the changed rows' columns in them, one by one, after carry_out().
    bool next(::TupleTableSlot* slot);
    // What was kept goes; PostgreSQL style.
    void end();

    void spool() override;

private:
    // The node of a reference table's batches, whose changes go to every node alike.
    static constexpr NodeId kEveryone{0};

    struct Batch {
        NodeId node;
        int action = 0;       // from 1; as in ModifyPlan
        bool leaves = false;  // the rows' DELETE before they move to other nodes
        ::MemoryContext memory = nullptr;
        std::vector<::MinimalTuple> changes;
        std::size_t most = 1;  // rows of one statement
        bool in_flight = false;
        bool returning = false;
        int inserted = 0;  // rows of an INSERT that have come back
    };

    void take(::TupleTableSlot* change);
    bool is_repeated(::TupleTableSlot* change);
    [[nodiscard]] NodeId owner_of(::TupleTableSlot* change, const ModifyAction& action) const;
    [[nodiscard]] const ModifyAction& action(const Batch& batch) const;
    Batch& batch_for(NodeId node, int action, bool leaves);
    void append(Batch& batch, ::TupleTableSlot* change);
    void flush(Batch& batch);
    void flush_all();
    void send(Batch& batch, const std::string& text, const std::vector<NodeId>& nodes);
    std::vector<OwnParameter> parameters_of(const Batch& batch);
    void run_here(Batch& batch, const std::string& text);
    void collect(Batch& batch);
    // A row that a batch has changed: its number in the batch, and its columns.
    void accept(Batch& batch, int number, const Datum* values, const bool* nulls);
    void end_batch(Batch& batch, std::uint64_t rows);
    void check_references(const Batch& batch);
    [[nodiscard]] std::size_t most_rows(const ModifyAction& action) const;

    ModifyPlan plan_;
    ::TupleDesc changes_;
    ::MemoryContext memory_;
    ModifyText text_;
    ::TupleDesc answer_;  // of a batch's rows: the number, then the results
    bool binary_ = false;
    RowReader reader_;
    ModifyAction leave_;  // the DELETE of rows that move
    NodeId self_;
    std::vector<NodeId> everyone_;  // the other nodes, for a reference table
    const ShardMap* map_ = nullptr;
    pg::KeyHasher hasher_;
    ::Tuplesortstate* kept_ = nullptr;
    ::Tuplestorestate* moved_ = nullptr;
    ::Tuplestorestate* returned_ = nullptr;
    ::TupleTableSlot* slot_;     // a kept change
    ::TupleTableSlot* scratch_;  // one of a batch
    std::map<std::pair<NodeId, int>, Batch> batches_;
    std::vector<Reference> references_;
    bool knows_references_ = false;
    ::ItemPointerData last_row_{};
    Oid last_table_ = InvalidOid;
    int last_node_ = 0;
    std::uint64_t statement_ = 0;
    std::uint64_t affected_ = 0;
};

}  // namespace herd::executor
