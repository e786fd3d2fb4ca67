#include "remote/rows.hpp"

namespace herd::remote {

void append_rows(pg::Rows& rows, const PGresult* result) {
    int columns = ::PQnfields(result);
    for (int r = 0; r < ::PQntuples(result); ++r) {
        pg::Row row;
        for (int c = 0; c < columns; ++c) {
            if (::PQgetisnull(result, r, c) != 0) {
                row.emplace_back();
            } else {
                row.emplace_back(
                    std::string(::PQgetvalue(result, r, c),
                                static_cast<std::size_t>(::PQgetlength(result, r, c))));
            }
        }
        rows.push_back(std::move(row));
    }
}

}  // namespace herd::remote
