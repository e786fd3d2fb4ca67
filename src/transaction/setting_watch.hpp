// Whether any of a few settings has another value than when it was last looked at. PostgreSQL
// counts no changes (a SET, a function's own SET, a rollback, a reload all change values), so the
// values themselves are compared, where they lie: no call by name, no formatting, no allocation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/guard.hpp"

extern "C" {
#include "utils/guc_tables.h"
}

namespace herd::transaction {

// The settings: those of these names, and all whose names have a dot (extensions' and users' own)
// but do not begin with "herd.".
class SettingWatch {
public:
    SettingWatch(const char* const* names, std::size_t count);

    // Since the last call; true at the first.
    bool changed();
    // Those with a dot, as of the last call.
    [[nodiscard]] std::vector<const ::config_generic*> dotted() const;

private:
    struct Watched {
        const ::config_generic* variable;
        int index;  // among all variables; -1: a built-in one, which stays where it is
        ::GucSource source;
        std::int64_t number;
        std::string text;
        bool is_null;
    };

    void watch(const ::config_generic* variable, int index);
    void watch_again();
    [[nodiscard]] bool has_moved() const;
    static bool take_value(Watched& watched);

    const char* const* names_;
    std::size_t named_;
    int count_ = -1;  // of all variables
    std::vector<Watched> watched_;
};

}  // namespace herd::transaction
