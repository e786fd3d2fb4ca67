// Rows in the binary format of COPY: a count of columns, then the length and the bytes of each
// column. The same bytes are the parameters of a statement, in binary.
#pragma once

#include <string>
#include <string_view>

#include "executor/row_codec.hpp"

extern "C" {
#include "executor/tuptable.h"
}

namespace herd::executor {

// What is before the first row, and behind the last.
std::string_view row_bytes_header();
std::string_view row_bytes_trailer();

// Writes rows, of which some columns are sent.
class RowWriter {
public:
    // columns: their numbers in the row; types: as an oid list. Both must live as long as this.
    // Look-ups once; memory in the current context.
    RowWriter(const ::List* columns, const ::List* types);
    // PostgreSQL style, for pg::call: values are made into bytes in the current context. Without
    // one whose bytes can't be made, nothing is appended.
    void append(std::string& out, const ::TupleTableSlot* row);

private:
    const ::List* columns_;
    ::FmgrInfo* functions_;
    ::bytea** values_;
};

// All rows as parameters of those types, in binary. The bytes must live as long as the parameters.
void add_parameters(ParameterSet& parameters, std::string_view rows, const ::List* types);

}  // namespace herd::executor
