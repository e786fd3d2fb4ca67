// What a COPY FROM into a table of the herd has to do: checked like PostgreSQL's own, then written
// down for the nodes and for this server's part.
#pragma once

#include <string>

#include "copy/field_reader.hpp"
#include "copy/source.hpp"

extern "C" {
#include "commands/copy.h"
#include "nodes/parsenodes.h"
#include "parser/parse_node.h"
#include "utils/relcache.h"
}

namespace herd::copy {

// Made of palloc'd parts that live as long as the statement.
struct CopyPlan {
    ::CopyStmt* statement = nullptr;
    ::ParseState* parse_state = nullptr;
    ::Relation relation = nullptr;
    ::List* columns = nullptr;  // numbers of the columns that the data has
    ::List* where = nullptr;
    const char* where_text = nullptr;  // the same for nodes; null where they can't evaluate it
    ::CopyFormatOptions options{};
    int file_encoding = 0;
    Transcoding transcoding;
    bool is_reference = false;  // every server gets every row
};

// Opens and locks the relation, and makes the checks that DoCopy makes, in its order: source,
// WHERE clause, privileges, row security, read-only transactions, options. PostgreSQL style.
void make_plan(CopyPlan& plan, const ::CopyStmt* statement, const char* query_string);

// The columns' numbers as the data has them, those that are written here (see DefaultColumns)
// first. The nodes' COPY FROM STDIN. Throws HR003 for a WHERE clause that a node can't judge.
std::string node_statement(const CopyPlan& plan, const ::List* columns);

// Options and columns for this server's own CopyFrom, whose data is already in its encoding.
// PostgreSQL style.
::List* local_options(const CopyPlan& plan, bool with_header);
::List* column_names(::Relation relation, const ::List* columns);

// How the fields of the data are written; forced NULL or not for column `attnum`.
FieldFormat field_format(const CopyPlan& plan, int attnum);

}  // namespace herd::copy
