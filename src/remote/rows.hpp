// A result's rows as text.
#pragma once

#include "pg/spi.hpp"
#include "remote/connection.hpp"

namespace herd::remote {

void append_rows(pg::Rows& rows, const PGresult* result);

}  // namespace herd::remote
