// The SQL that carries changes out: one statement for many rows.
//
//   UPDATE public.t AS t SET a = v.c1, ... FROM (VALUES (0, $1, $2), ...) AS v(n, place, c1)
//     WHERE t.ctid = v.place RETURNING v.n, t.b, ...
//
// Rows of a reference table are found by their key, or by all their values: the first of the rows
// that are alike for the first change of such a row, and so on.
#pragma once

#include <string>
#include <vector>

#include "executor/modify_plan_data.hpp"

extern "C" {
#include "access/tupdesc.h"
}

namespace herd::executor {

// Everything about the target that texts need, looked up once per execution.
class ModifyText {
public:
    // changes: the description of the changes. Errors: none but PostgreSQL's own look-ups.
    ModifyText(const ModifyPlan& plan, ::TupleDesc changes);

    // One parameter of a row of VALUES.
    struct Parameter {
        int source;          // the change's column
        Oid type;            // what the parameter is declared as
        bool table = false;  // a table's number that travels as its name
    };
    // What each row sends, in this order.
    [[nodiscard]] std::vector<Parameter> parameters(const ModifyAction& action) const;
    // returning: each changed row comes back with its number in the batch, from 0 (INSERT: in
    // order, without number), and the plan's results.
    [[nodiscard]] std::string text(const ModifyAction& action, int rows, bool returning) const;
    [[nodiscard]] const std::string& table() const { return table_; }

private:
    [[nodiscard]] std::string name_of(int column) const;
    [[nodiscard]] std::string values(const ModifyAction& action, int rows, bool numbered) const;
    [[nodiscard]] std::string names_of_values(const ModifyAction& action, bool numbered) const;
    [[nodiscard]] std::string assigned_elsewhere(const ModifyAction& action) const;
    [[nodiscard]] std::string returned(bool numbered) const;
    [[nodiscard]] std::string condition() const;
    // (the values) AS v(their names)
    [[nodiscard]] std::string source(const ModifyAction& action, int rows, bool numbered) const;
    // The same, beside the places of the rows that the values are for.
    [[nodiscard]] std::string found_rows(const std::string& source) const;

    const ModifyPlan& plan_;
    ::TupleDesc changes_;
    std::string table_;                  // qualified and quoted
    std::vector<std::string> columns_;   // quoted names, by attribute number - 1
    std::vector<std::string> casts_;     // of the changes' columns: "::s.t" or ""
    std::vector<std::string> identity_;  // of a reference table: "t.a OPERATOR(pg_catalog.=) v.k1"
    bool partitioned_ = false;
};

}  // namespace herd::executor
