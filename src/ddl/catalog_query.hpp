// Questions to PostgreSQL's and the herd's catalogues, whatever the session's search_path and user.
#pragma once

#include <string>
#include <vector>

#include "pg/spi.hpp"

namespace herd::ddl {

// As pg::query, as the extension's owner and with search_path = pg_catalog.
pg::Rows catalog_query(const std::string& sql, const std::vector<pg::Field>& parameters = {});

// As pg::query, as the user; an error where row security would hide rows from him.
pg::Rows query_unfiltered(const std::string& sql);

// The relation's schema-qualified name, quoted.
std::string qualified_name(unsigned int relid);

// Its schema's and its own name alone, as error fields want them.
std::string schema_name(unsigned int relid);
std::string relation_name(unsigned int relid);

}  // namespace herd::ddl
