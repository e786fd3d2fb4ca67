// Arguments of SQL functions as C++ values.
#pragma once

#include <optional>
#include <string>

#include "pg/guard.hpp"

extern "C" {
#include "utils/builtins.h"
}

namespace herd::api {

inline std::string text_argument(::FunctionCallInfo fcinfo, int position) {
    return pg::call([&] { return ::text_to_cstring(PG_GETARG_TEXT_PP(position)); });
}

inline std::optional<std::string> optional_text(::FunctionCallInfo fcinfo, int position) {
    if (PG_ARGISNULL(position)) {
        return {};
    }
    return text_argument(fcinfo, position);
}

}  // namespace herd::api
