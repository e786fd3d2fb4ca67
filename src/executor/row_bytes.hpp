// Rows in the binary format of COPY: a count of columns, then the length and the bytes of each
// column. The same bytes are the parameters of a statement, in binary.
#pragma once

#include <string>
#include <string_view>

#include "executor/row_codec.hpp"
#include "routing/row_packing.hpp"

extern "C" {
#include "executor/tuptable.h"
}

namespace herd::executor {

// What is before the first row, and behind the last.
std::string_view row_bytes_header();
std::string_view row_bytes_trailer();

// Writes rows.
class RowWriter {
public:
    // Look-ups once; memory in the current context. types: of each field's column.
    RowWriter(std::vector<routing::PackedField> fields, const std::vector<Oid>& types);
    // columns: their numbers; types: as an oid list.
    RowWriter(const ::List* columns, const ::List* types);
    // PostgreSQL style, for pg::call: values are made into bytes in the current context. If the
    // bytes of one can't be made, nothing is appended.
    void append(std::string& out, const ::TupleTableSlot* row);

private:
    std::vector<routing::PackedField> fields_;
    ::FmgrInfo* functions_;
    ::bytea** values_;
};

// Reads rows.
class RowBytesReader {
public:
    // columns: the numbers that the fields have in rows of that description, whose others are NULL.
    RowBytesReader(const ::List* columns, ::TupleDesc rows);
    // The rows to be read; they must stay where they are.
    void set(std::string_view rows) { left_ = rows; }
    // PostgreSQL style, for pg::call: the next row into a virtual slot, its values allocated in the
    // current context; false after the last.
    bool next(::TupleTableSlot* slot);

private:
    const ::List* columns_;
    ::TupleDesc description_;
    ::FmgrInfo* functions_;
    Oid* io_params_;
    std::string_view left_;
};

// All rows as parameters of those types, in binary. The bytes must live as long as the parameters.
void add_parameters(ParameterSet& parameters, std::string_view rows, const ::List* types);

}  // namespace herd::executor
