// Queries to this server's own catalogue, from C++: text in, text out.
//
//   Rows rows = pg::query("SELECT a, b FROM herd.node WHERE node_id = $1", {"3"});
//   rows[0][1] is std::optional<std::string>, empty for NULL.
//
// Runs as the caller's user unless AsOwner is alive. Errors arrive as herd::Error.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace herd::pg {

using Field = std::optional<std::string>;
using Row = std::vector<Field>;
using Rows = std::vector<Row>;

// Runs one statement; parameters are passed as text and cast by the statement ($1::integer).
Rows query(const std::string& sql, const std::vector<Field>& parameters = {});

// As query, but expects exactly one row with one field; empty when it is NULL or there is no row.
Field query_value(const std::string& sql, const std::vector<Field>& parameters = {});

// Text as an SQL literal or identifier.
std::string quote_literal(const std::string& text);
std::string quote_identifier(const std::string& name);

// While alive, statements run as the extension's owner (the bootstrap superuser), so that a user
// who may call a function of the herd need not own its catalogue.
class AsOwner {
public:
    AsOwner();
    ~AsOwner();
    AsOwner(const AsOwner&) = delete;
    AsOwner& operator=(const AsOwner&) = delete;

private:
    unsigned int user_ = 0;
    int security_context_ = 0;
    int guc_level_ = 0;
};

}  // namespace herd::pg
