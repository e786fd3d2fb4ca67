// Sends the rows of an INSERT to the nodes that own them: as multi-row statements, or, when there
// are more than a few, by binary COPY, where that does the same.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "executor/insert_plan_data.hpp"
#include "executor/insert_stream.hpp"
#include "executor/row_bytes.hpp"
#include "executor/row_codec.hpp"
#include "model/shard_map.hpp"
#include "pg/key_hash.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "executor/tuptable.h"
#include "utils/tuplestore.h"
}

namespace herd::executor {

class InsertRouter final : public transaction::Stream {
public:
    // returned: the description of RETURNING's rows. Built in the query's memory context.
    InsertRouter(const InsertPlan& plan, ::TupleDesc returned);
    ~InsertRouter();
    InsertRouter(const InsertRouter&) = delete;
    InsertRouter& operator=(const InsertRouter&) = delete;

    // The values of the tail's own parameters; before the first row.
    ParameterSet& tail_parameters() { return tail_parameters_; }
    // Before the first row: the number of the statement, whose snapshot all parts see, and all
    // batches of an INSERT.
    void begin(std::uint64_t statement) {
        number_ = statement;
        statement_ = plan_.several ? statement : 0;
        copy_.statement = statement_;
    }
    // Takes a row for its nodes; true when it (also) belongs to this server.
    bool take(::TupleTableSlot* row);
    // Whether rows may come and go as bytes.
    [[nodiscard]] bool takes_bytes() const { return writer_ != nullptr; }
    // What the source's nodes are to be told so that they divide rows, and the number of their
    // statement, or 0.
    [[nodiscard]] std::string pack_mark() const;
    [[nodiscard]] std::uint64_t packed_plan_id() const;
    // Takes a block of rows that are all for that node, or for everyone; true when they (also)
    // belong to this server.
    bool take_block(NodeId owner, std::string_view rows, int count);
    // Sends what is left and waits for every node's answer.
    void finish();
    [[nodiscard]] std::uint64_t affected() const { return affected_; }
    // RETURNING's rows of the nodes, one by one, after finish().
    bool next_returned(::TupleTableSlot* slot);
    // What was kept goes; PostgreSQL style.
    void end();

    void spool() override;

private:
    struct Buffer {
        ParameterSet values;
        ::MemoryContext memory = nullptr;
        std::string bytes;  // the rows, when they may become a COPY
        std::unique_ptr<InsertStream> stream;
        int rows = 0;
        std::uint64_t sent = 0;    // rows in all ...
        std::uint64_t stored = 0;  // ... of them inserted or updated
        bool in_flight = false;
    };

    Buffer& buffer_of(NodeId node);
    void append(Buffer& buffer, ::TupleTableSlot* row);
    bool add_to_stream(NodeId node, Buffer& buffer, ::TupleTableSlot* row);
    void stream(NodeId node, Buffer& buffer);
    void finish_streams();
    [[nodiscard]] ParameterSet parameters_of(const Buffer& buffer) const;
    void clear(Buffer& buffer);
    void flush(NodeId node, Buffer& buffer, bool lone);
    void flush_everywhere(Buffer& buffer);
    void collect(NodeId node, Buffer& buffer);
    void keep_rows(const PGresult* result);
    void fetch_kept_conflicts();
    [[nodiscard]] bool comes_again() const;
    [[nodiscard]] std::string text_for(int rows) const;

    InsertPlan plan_;
    ::TupleDesc returned_description_;
    RowReader reader_;
    InsertCopy copy_;
    std::unique_ptr<RowWriter> writer_;  // of rows that may become a COPY
    ParameterSet tail_parameters_;
    std::vector<NodeId> everyone_;  // the other nodes, for a reference table
    const ShardMap* map_ = nullptr;
    NodeId self_;
    pg::KeyHasher hasher_;
    std::map<NodeId, Buffer> buffers_;
    ::Tuplestorestate* returned_ = nullptr;
    ::MemoryContext memory_;
    ::MemoryContext scratch_;
    std::uint64_t number_ = 0;
    std::uint64_t statement_ = 0;  // the number, if what is sent belongs together
    std::uint64_t affected_ = 0;
    int most_rows_ = 1;
    bool rows_here_ = false;
    bool sent_ = false;
};

}  // namespace herd::executor
