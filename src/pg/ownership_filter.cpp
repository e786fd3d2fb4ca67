#include "pg/ownership_filter.hpp"

#include <cstring>

extern "C" {
#include "postgres.h"

#include "utils/guc.h"
#include "utils/plancache.h"
}

namespace herd::pg {

namespace {

constexpr ::config_enum_entry kValues[] = {
    {"auto", static_cast<int>(OwnershipFilter::kAuto), false},
    {"always", static_cast<int>(OwnershipFilter::kAlways), false},
    {nullptr, 0, false},
};

int setting = static_cast<int>(OwnershipFilter::kAuto);

// Kept plans have the filter, or not, for good.
void on_change(int value, void*) {
    if (value != setting) {
        ::ResetPlanCache();
    }
}

}  // namespace

OwnershipFilter ownership_filter() {
    return static_cast<OwnershipFilter>(setting);
}

bool means_every_row(const char* query_string) {
    return query_string != nullptr &&
           std::strncmp(query_string, kEveryRowMark, std::strlen(kEveryRowMark)) == 0;
}

void define_ownership_filter() {
    ::DefineCustomEnumVariable(
        "herd.ownership_filter",
        "Whether rows that a server holds but does not own are filtered out: auto or always.",
        nullptr, &setting, static_cast<int>(OwnershipFilter::kAuto), kValues, PGC_USERSET, 0,
        nullptr, on_change, nullptr);
}

}  // namespace herd::pg
