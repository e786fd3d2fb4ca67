// A statement of the herd's own over this server's rows of a distributed table, in this backend.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/guard.hpp"

extern "C" {
#include "utils/tuplestore.h"
}

namespace herd::executor {

struct OwnParameter {
    Oid type;
    Datum value;
    bool isnull;
};

// Runs a statement whose names are qualified on this server's rows only. Triggers, constraints and
// row security (as `role`, or the user) apply; privileges are the caller's business. Rows that it
// returns go to `rows`, if not nullptr. Returns the number of rows processed.
// Errors: those of the statement.
std::uint64_t run_on_own_rows(const std::string& text, const std::vector<OwnParameter>& parameters,
                              Oid role, ::Tuplestorestate* rows);

}  // namespace herd::executor
