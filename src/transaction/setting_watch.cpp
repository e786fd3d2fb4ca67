#include "transaction/setting_watch.hpp"

#include <cstring>
#include <utility>

#include "pg/compat.hpp"

namespace herd::transaction {

namespace {

bool has_dot(const ::config_generic* variable) {
    return std::strchr(variable->name, '.') != nullptr &&
           std::strncmp(variable->name, "herd.", 5) != 0;
}

template <typename Variable>
const Variable* as(const ::config_generic* variable) {
    return reinterpret_cast<const Variable*>(variable);
}

// Other than text, as a number that is equal only where the value is.
std::int64_t number_of(const ::config_generic* variable) {
    switch (variable->vartype) {
        case PGC_BOOL:
            return *as<::config_bool>(variable)->variable ? 1 : 0;
        case PGC_INT:
            return *as<::config_int>(variable)->variable;
        case PGC_ENUM:
            return *as<::config_enum>(variable)->variable;
        case PGC_REAL: {
            std::int64_t bits = 0;
            static_assert(sizeof bits == sizeof(double));
            std::memcpy(&bits, as<::config_real>(variable)->variable, sizeof bits);
            return bits;
        }
        case PGC_STRING:
            break;
    }
    return 0;
}

}  // namespace

SettingWatch::SettingWatch(const char* const* names, std::size_t count)
    : names_(names), named_(count) {}

// Another definition of a setting takes its place: a placeholder's, when its extension is loaded.
bool SettingWatch::has_moved() const {
    int count = 0;
    ::config_generic** variables = pg::call([&] { return pg::compat::settings(&count); });
    if (count != count_) {
        return true;
    }
    for (const Watched& watched : watched_) {
        if (watched.index >= 0 && variables[watched.index] != watched.variable) {
            return true;
        }
    }
    return false;
}

void SettingWatch::watch(const ::config_generic* variable, int index) {
    watched_.push_back({variable, index, variable->source, 0, {}, false});
    take_value(watched_.back());
}

void SettingWatch::watch_again() {
    count_ = -1;
    watched_.clear();
    int count = 0;
    ::config_generic** variables = pg::call([&] { return pg::compat::settings(&count); });
    for (int i = 0; i < count; ++i) {
        const ::config_generic* variable = variables[i];
        if (has_dot(variable)) {
            watch(variable, i);
            continue;
        }
        for (std::size_t j = 0; j < named_; ++j) {
            if (std::strcmp(names_[j], variable->name) == 0) {
                watch(variable, std::strchr(names_[j], '.') == nullptr ? -1 : i);
            }
        }
    }
    count_ = count;
}

bool SettingWatch::take_value(Watched& watched) {
    const ::config_generic* variable = watched.variable;
    bool changed = std::exchange(watched.source, variable->source) != variable->source;
    if (variable->vartype != PGC_STRING) {
        std::int64_t number = number_of(variable);
        return std::exchange(watched.number, number) != number || changed;
    }
    const char* text = *as<::config_string>(variable)->variable;
    if (watched.is_null == (text == nullptr) &&
        (text == nullptr || std::strcmp(watched.text.c_str(), text) == 0)) {
        return changed;
    }
    watched.is_null = text == nullptr;
    watched.text = text == nullptr ? "" : text;
    return true;
}

bool SettingWatch::changed() {
    if (has_moved()) {
        watch_again();
        return true;
    }
    bool changed = false;
    for (Watched& watched : watched_) {
        changed = take_value(watched) || changed;
    }
    return changed;
}

std::vector<const ::config_generic*> SettingWatch::dotted() const {
    std::vector<const ::config_generic*> found;
    for (const Watched& watched : watched_) {
        if (has_dot(watched.variable)) {
            found.push_back(watched.variable);
        }
    }
    return found;
}

}  // namespace herd::transaction
