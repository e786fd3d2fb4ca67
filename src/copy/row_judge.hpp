// A WHERE clause of COPY FROM that nodes can't evaluate, because it calls a user's function or a
// volatile one: each record is read in full here, and goes on only if the clause holds.
#pragma once

#include <string>
#include <string_view>

#include "copy/copy_plan.hpp"
#include "copy/record_reader.hpp"

extern "C" {
#include "nodes/execnodes.h"
}

namespace herd::copy {

class RowJudge {
public:
    // columns: all that a record has, those that are written here first.
    RowJudge(const CopyPlan& plan, const ::List* columns);

    // Whether the record's row passes. PostgreSQL style; raises what COPY raises for bad data.
    bool passes(std::string_view prefix, const Record& record);

private:
    static int read_callback(void* out, int least, int most);
    int read(char* out, std::size_t most);

    ::CopyFromState state_ = nullptr;
    ::ExprState* condition_ = nullptr;
    ::ExprContext* context_ = nullptr;
    ::TupleTableSlot* slot_ = nullptr;
    std::string bytes_;
    std::size_t given_ = 0;
};

}  // namespace herd::copy
