#include "transaction/settings.hpp"

#include <cstring>
#include <set>

#include "pg/guard.hpp"

extern "C" {
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
}

namespace herd::transaction {

namespace {

// Built-in settings that change what a statement returns, how a value is read, or how long a lock
// is waited for; and what the herd's own plans on both sides must agree on.
constexpr const char* kForwarded[] = {
    "TimeZone",
    "DateStyle",
    "IntervalStyle",
    "extra_float_digits",
    "bytea_output",
    "xmlbinary",
    "xmloption",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "array_nulls",
    "default_text_search_config",
    "row_security",
    "timezone_abbreviations",
    "check_function_bodies",
    "standard_conforming_strings",
    "default_table_access_method",
    "default_toast_compression",
    "lock_timeout",
    "herd.ownership_filter",
};

void append_setting(std::string& sql, const char* name, const char* value) {
    const char* quoted_name = pg::call([&] { return ::quote_literal_cstr(name); });
    const char* quoted_value = pg::call([&] { return ::quote_literal_cstr(value); });
    sql += ", pg_catalog.set_config(";
    sql += quoted_name;
    sql += ", ";
    sql += quoted_value;
    sql += ", false)";
}

// Settings that a user made up (app.tenant), which policies and functions read, and those of
// extensions (pg_trgm.similarity_threshold) from the first time on that they are not the default.
bool is_custom(const ::config_generic* variable) {
    static auto& changed = *new std::set<std::string>;
    if (std::strchr(variable->name, '.') == nullptr ||
        std::strncmp(variable->name, "herd.", 5) == 0) {
        return false;
    }
    if ((variable->flags & GUC_CUSTOM_PLACEHOLDER) != 0 || changed.count(variable->name) != 0) {
        return true;
    }
    if (variable->context != PGC_USERSET || variable->source == PGC_S_DEFAULT) {
        return false;
    }
    changed.insert(variable->name);
    return true;
}

void append_custom_settings(std::string& sql) {
    ::config_generic** variables = ::get_guc_variables();
    int count = ::GetNumConfigOptions();
    for (int i = 0; i < count; ++i) {
        const ::config_generic* variable = variables[i];
        if (!is_custom(variable)) {
            continue;
        }
        const char* value =
            pg::call([&] { return ::GetConfigOption(variable->name, true, false); });
        append_setting(sql, variable->name, value == nullptr ? "" : value);
    }
}

// Functions and triggers on the node find what they would find here. The statements themselves name
// everything but pg_catalog's objects in full, so pg_catalog comes first, as it does by itself
// unless the path says otherwise.
void append_search_path(std::string& sql) {
    std::string path = pg::call([] { return ::GetConfigOption("search_path", false, false); });
    bool explicit_place = path.find("pg_catalog") != std::string::npos;
    append_setting(sql, "search_path", ((explicit_place ? "pg_catalog, " : "") + path).c_str());
}

}  // namespace

std::string session_state_command() {
    std::string sql = "SELECT herd.link_role(";
    sql += pg::call([] { return ::quote_literal_cstr(::GetUserNameFromId(::GetUserId(), false)); });
    sql += ")";
    for (const char* name : kForwarded) {
        const char* value = pg::call([&] { return ::GetConfigOption(name, true, false); });
        if (value != nullptr) {
            append_setting(sql, name, value);
        }
    }
    append_search_path(sql);
    append_custom_settings(sql);
    return sql;
}

}  // namespace herd::transaction
