#include "executor/packed_source.hpp"

#include "executor/pack_scan.hpp"
#include "pg/server_encoding.hpp"

extern "C" {
#include "executor/executor.h"
#include "utils/memutils.h"
}

namespace herd::executor {

PackedSource::PackedSource(RemoteRun& run, const InsertPlan& plan, ::TupleDesc rows)
    : run_(run), reader_(plan.columns, rows) {
    pg::call([&] {
        memory_ = AllocSetContextCreate(CurrentMemoryContext, "herd row", ALLOCSET_SMALL_SIZES);
        row_ = ::MakeSingleTupleTableSlot(rows, &TTSOpsVirtual);
        block_ = ::MakeSingleTupleTableSlot(block_description(), &TTSOpsVirtual);
    });
}

bool PackedSource::next_row_of_block() {
    pg::ServerEncoding encoding;
    return pg::call([&] {
        ::MemoryContextReset(memory_);
        ::MemoryContext old = MemoryContextSwitchTo(memory_);
        bool found = reader_.next(row_);
        MemoryContextSwitchTo(old);
        return found;
    });
}

::TupleTableSlot* PackedSource::next_row_here(InsertRouter& router) {
    while (!next_row_of_block()) {
        pg::check_interrupts();
        if (!run_.query().started()) {
            run_.start();
        }
        if (!run_.query().next(block_)) {
            run_.fetch_plans();
            return nullptr;
        }
        const Datum* values = block_->tts_values;
        auto* bytes = reinterpret_cast<::bytea*>(DatumGetPointer(values[1]));
        std::string_view rows(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
        if (router.take_block(NodeId{DatumGetInt32(values[0])}, rows, DatumGetInt32(values[2]))) {
            reader_.set(rows);
        }
    }
    return row_;
}

}  // namespace herd::executor
