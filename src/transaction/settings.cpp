#include "transaction/settings.hpp"

#include <cstring>
#include <iterator>
#include <set>
#include <utility>

#include "transaction/setting_watch.hpp"

extern "C" {
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/inval.h"
#include "utils/syscache.h"
}

namespace herd::transaction {

namespace {

// Built-in settings that change what a statement returns, how a value is read, or how long a lock
// is waited for; and what the herd's own plans on both sides must agree on.
constexpr const char* kWatched[] = {
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
    "search_path",
};

// An element of an array's text.
void append_quoted(std::string& array, const char* text) {
    array += array.size() > 1 ? ",\"" : "\"";
    for (const char* letter = text; *letter != '\0'; ++letter) {
        if (*letter == '"' || *letter == '\\') {
            array += '\\';
        }
        array += *letter;
    }
    array += '"';
}

void append_setting(std::string& array, const char* name, const char* value) {
    append_quoted(array, name);
    append_quoted(array, value);
}

// Settings that a user made up (app.tenant), which policies and functions read, and those of
// extensions (pg_trgm.similarity_threshold) from the first time on that they are not the default.
bool is_forwarded(const ::config_generic* variable) {
    static auto& changed = *new std::set<std::string>;
    if ((variable->flags & GUC_CUSTOM_PLACEHOLDER) != 0 || changed.count(variable->name) != 0) {
        return true;
    }
    if (variable->context != PGC_USERSET || variable->source == PGC_S_DEFAULT) {
        return false;
    }
    changed.insert(variable->name);
    return true;
}

SettingWatch& setting_watch() {
    static auto& watch = *new SettingWatch(kWatched, std::size(kWatched));
    return watch;
}

void append_custom_settings(std::string& array) {
    for (const ::config_generic* variable : setting_watch().dotted()) {
        if (!is_forwarded(variable)) {
            continue;
        }
        const char* value =
            pg::call([&] { return ::GetConfigOption(variable->name, true, false); });
        append_setting(array, variable->name, value == nullptr ? "" : value);
    }
}

// Functions and triggers on the node find what they would find here. The statements themselves name
// everything but pg_catalog's objects in full, so pg_catalog comes first, as it does by itself
// unless the path says otherwise.
void append_search_path(std::string& array) {
    std::string path = pg::call([] { return ::GetConfigOption("search_path", false, false); });
    bool explicit_place = path.find("pg_catalog") != std::string::npos;
    append_setting(array, "search_path", ((explicit_place ? "pg_catalog, " : "") + path).c_str());
}

// A role may get another name.
bool role_changed = true;

void on_role_change(Datum, int, uint32) {
    role_changed = true;
}

Oid rights = InvalidOid;

bool is_up_to_date(Oid role, Oid owner) {
    static Oid known_role = InvalidOid;
    static Oid known_owner = InvalidOid;
    bool changed = std::exchange(role_changed, false);
    changed = std::exchange(known_role, role) != role || changed;
    changed = std::exchange(known_owner, owner) != owner || changed;
    return !setting_watch().changed() && !changed;
}

std::string name_of(Oid role) {
    return pg::call([&] { return ::quote_literal_cstr(::GetUserNameFromId(role, false)); });
}

std::string make_command(Oid role, Oid owner) {
    std::string settings = "{";
    for (const char* name : kWatched) {
        if (std::strcmp(name, "search_path") == 0) {
            continue;
        }
        const char* value = pg::call([&] { return ::GetConfigOption(name, true, false); });
        if (value != nullptr) {
            append_setting(settings, name, value);
        }
    }
    append_search_path(settings);
    append_custom_settings(settings);
    settings += "}";
    const char* quoted = pg::call([&] { return ::quote_literal_cstr(settings.c_str()); });
    return "SELECT herd.link_state(" + name_of(role) + ", " +
           (owner == role ? "''" : name_of(owner)) + ", " + quoted + ")";
}

}  // namespace

const SessionState& session_state() {
    static auto& state = *new SessionState;
    static bool stale = true;  // until a command has been made
    Oid role = ::GetUserId();
    Oid owner = OidIsValid(rights) ? rights : role;
    stale = !is_up_to_date(role, owner) || stale;
    if (stale) {
        std::string command = make_command(role, owner);
        if (!state || *state != command) {
            state = std::make_shared<const std::string>(std::move(command));
        }
        stale = false;
    }
    return state;
}

Oid set_rights(Oid role) {
    return std::exchange(rights, role);
}

void initialize_settings() {
    ::CacheRegisterSyscacheCallback(AUTHOID, on_role_change, Datum{0});
}

}  // namespace herd::transaction
