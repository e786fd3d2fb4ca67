// One text that one or more nodes run: asked all at once, rows taken as they come (or merged in
// order), kept aside when another statement needs a link.
#pragma once

#include <memory>
#include <vector>

#include "executor/remote_plan.hpp"
#include "executor/row_codec.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "utils/resowner.h"
#include "utils/sortsupport.h"
#include "utils/tuplestore.h"
}

namespace herd::executor {

class RemoteQuery final : public transaction::Stream {
public:
    // Built in a query's memory context, with pg::make_in; the description must live as long.
    RemoteQuery(const RemotePlan& plan, ::TupleDesc description);
    ~RemoteQuery();
    RemoteQuery(const RemoteQuery&) = delete;
    RemoteQuery& operator=(const RemoteQuery&) = delete;

    // Sends the text to all nodes. lone: each may run it without BEGIN.
    void start(const std::vector<NodeId>& nodes, const ParameterSet& parameters, bool lone,
               std::uint64_t fragment);
    [[nodiscard]] bool started() const { return started_; }
    // Stores the next row in the slot (virtual, its values good until the next call) or returns
    // false.
    bool next(::TupleTableSlot* slot);
    // Takes what is left, throwing rows away; afterwards affected() is complete.
    void finish();
    // Rows that the nodes' commands have changed; complete once next() has returned false.
    [[nodiscard]] std::uint64_t affected() const { return affected_; }
    [[nodiscard]] const std::vector<NodeId>& nodes() const { return nodes_; }
    // Forgets the results, for another start(), or at the end: who does not come here leaves it to
    // PostgreSQL's clearing up after an error.
    void reset();

    void spool() override;

private:
    struct Source {
        NodeId node;
        transaction::Link* link = nullptr;
        remote::Result result;  // with rows that have not been taken
        int row = 0;
        ::Tuplestorestate* store = nullptr;
        bool arrived = false;  // everything is here
        bool done = false;
        Datum* values = nullptr;  // the row at hand, for merging
        bool* nulls = nullptr;
        bool holds_row = false;
        ::MemoryContext memory = nullptr;
    };

    bool fetch(Source& source);        // next row into source.values
    bool next_result(Source& source);  // false at the end
    void take_command(const PGresult* result);
    Source* pick_any();
    Source* pick_smallest();
    bool comes_before(const Source& left, const Source& right) const;
    void spool_source(Source& source);
    void leave() noexcept;
    void prepare_sort();

    RemotePlan plan_;
    ::TupleDesc description_;
    RowReader reader_;
    std::vector<NodeId> nodes_;
    std::vector<Source> sources_;
    ::SortSupportData* sort_keys_ = nullptr;
    int sort_count_ = 0;
    ::MemoryContext memory_;
    ::ResourceOwner owner_;
    ::TupleTableSlot* store_slot_ = nullptr;
    std::uint64_t affected_ = 0;
    bool started_ = false;
    bool checked_ = false;
};

}  // namespace herd::executor
