#include "copy/row_judge.hpp"

#include <algorithm>
#include <cstring>

#include "copy/binary_reader.hpp"

extern "C" {
#include "commands/copyfrom_internal.h"
#include "executor/executor.h"
#include "utils/memutils.h"
#include "utils/rel.h"
}

namespace herd::copy {

namespace {

// PostgreSQL's callback has no argument; it is called within passes() only.
RowJudge* current_judge = nullptr;

}  // namespace

RowJudge::RowJudge(const CopyPlan& plan, const ::List* columns) {
    if (plan.options.binary) {
        bytes_ = binary_header();
    }
    current_judge = this;
    pg::call([&] {
        state_ =
            ::BeginCopyFrom(plan.parse_state, plan.relation, nullptr, nullptr, false, read_callback,
                            column_names(plan.relation, columns), local_options(plan, false));
        condition_ = ::ExecInitQual(plan.where, nullptr);
        context_ = ::CreateStandaloneExprContext();
        // A description of its own: nobody has to give it back.
        ::TupleDesc description = ::CreateTupleDescCopyConstr(RelationGetDescr(plan.relation));
        slot_ = ::MakeSingleTupleTableSlot(description, &TTSOpsVirtual);
        slot_->tts_tableOid = RelationGetRelid(plan.relation);
        context_->ecxt_scantuple = slot_;
    });
}

int RowJudge::read_callback(void* out, int, int most) {
    return current_judge->read(static_cast<char*>(out), static_cast<std::size_t>(most));
}

int RowJudge::read(char* out, std::size_t most) {
    std::size_t part = std::min(most, bytes_.size() - given_);
    std::memcpy(out, bytes_.data() + given_, part);
    given_ += part;
    return static_cast<int>(part);
}

bool RowJudge::passes(std::string_view prefix, const Record& record) {
    bytes_.assign(prefix);
    bytes_.append(record.data, record.size);
    if (record.newline) {
        bytes_ += '\n';
    }
    given_ = 0;
    RowJudge* before = current_judge;
    current_judge = this;
    ResetExprContext(context_);
    ::MemoryContext memory = ::MemoryContextSwitchTo(context_->ecxt_per_tuple_memory);
    ::ErrorContextCallback callback;
    callback.callback = ::CopyFromErrorCallback;
    callback.arg = state_;
    callback.previous = ::error_context_stack;
    ::error_context_stack = &callback;
    // The record's quoted newlines are counted anew.
    state_->cur_lineno =
        record.number - 1 - (state_->eol_type == EOL_NL ? record.quoted_lf : record.quoted_cr);
    ::ExecClearTuple(slot_);
    bool found = ::NextCopyFrom(state_, context_, slot_->tts_values, slot_->tts_isnull);
    bool passes = false;
    if (found) {
        ::ExecStoreVirtualTuple(slot_);
        passes = ::ExecQual(condition_, context_);
    }
    ::error_context_stack = callback.previous;
    ::MemoryContextSwitchTo(memory);
    current_judge = before;
    return passes;
}

}  // namespace herd::copy
