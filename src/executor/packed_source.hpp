// The source of an INSERT whose nodes divide their rows by the owners (pack_scan.hpp): blocks,
// which go to the router as they are.
#pragma once

#include "executor/insert_router.hpp"
#include "executor/remote_run.hpp"

namespace herd::executor {

class PackedSource {
public:
    // run: packed, and not started; rows: what the INSERT's rows look like. Memory in the current
    // context.
    PackedSource(RemoteRun& run, const InsertPlan& plan, ::TupleDesc rows);

    // Hands blocks to the router; the next row for this server, or nullptr after the last block.
    ::TupleTableSlot* next_row_here(InsertRouter& router);

private:
    bool next_row_of_block();

    RemoteRun& run_;
    RowBytesReader reader_;
    ::MemoryContext memory_ = nullptr;
    ::TupleTableSlot* row_ = nullptr;
    ::TupleTableSlot* block_ = nullptr;
};

}  // namespace herd::executor
