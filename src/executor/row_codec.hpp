// Values on the wire: parameters to a node, rows from it.
#pragma once

#include <string>
#include <vector>

#include "pg/guard.hpp"
#include "pg/wire_functions.hpp"
#include "remote/connection.hpp"

extern "C" {
#include "access/tupdesc.h"
#include "nodes/execnodes.h"
}

namespace herd::executor {

// Whether every column of the rows may travel in binary.
bool rows_are_portable(::TupleDesc description);

// Turns a node's rows into Datums.
class RowReader {
public:
    // Look-ups once; memory in the current context. text: results come as text.
    RowReader(::TupleDesc description, bool binary);
    // PostgreSQL style, for pg::call: values are allocated in the current context.
    // Errors: those of the types' input functions.
    void read(const PGresult* result, int row, Datum* values, bool* nulls) const;
    // Throws kInternalError when the node's columns are not the expected ones.
    void check(const PGresult* result) const;

private:
    ::TupleDesc description_;
    bool binary_;
    pg::InputFunction* functions_;
};

// The parameters of one execution, as libpq wants them; the bytes live in the current context's
// memory until the object goes.
class ParameterSet {
public:
    // Adds one value. PostgreSQL style parts run under pg::call.
    void add(Oid type, Datum value, bool isnull);
    // The same of one that is in binary already; length: -1 for NULL. The bytes are not copied.
    void add_bytes(Oid type, const char* data, int length);
    // All values of another set, whose memory must outlive this one.
    void append(const ParameterSet& other);
    void clear();
    void reserve(int count);
    [[nodiscard]] remote::Parameters view() const;
    [[nodiscard]] int count() const { return static_cast<int>(values_.size()); }

private:
    std::vector<::Oid> types_;
    std::vector<const char*> values_;
    std::vector<int> lengths_;
    std::vector<int> formats_;
};

}  // namespace herd::executor
