#include "pg/plan_settings.hpp"

#include <climits>

#include "pg/ownership_filter.hpp"

extern "C" {
#include "postgres.h"

#include "utils/guc.h"
}

namespace herd::pg {

namespace {

bool route = true;
bool fragment_joins = true;
bool partial_aggregates = true;
bool binary = true;
int rows = 1000;
int shapes = 500;
int read_consistency = 0;

constexpr ::config_enum_entry kReadConsistency[] = {
    {"node", 0, false}, {"strict", 1, false}, {nullptr, 0, false}};

void define(const char* name, const char* description, bool* value) {
    ::DefineCustomBoolVariable(name, description, nullptr, value, true, PGC_USERSET, 0, nullptr,
                               nullptr, nullptr);
}

}  // namespace

void define_plan_settings() {
    define("herd.enable_route", "Sends a SELECT of one key whole to its node.", &route);
    define("herd.enable_fragment_joins", "Lets nodes join their own rows.", &fragment_joins);
    define("herd.enable_partial_aggregates", "Lets nodes aggregate their own rows.",
           &partial_aggregates);
    define("herd.enable_binary", "Sends values in binary where that is possible.", &binary);
    ::DefineCustomIntVariable("herd.batch_rows", "Rows of an INSERT that go to a node at once.",
                              nullptr, &rows, 1000, 1, 10'000, PGC_USERSET, 0, nullptr, nullptr,
                              nullptr);
    ::DefineCustomIntVariable(
        "herd.max_shapes", "Most shapes of statements whose plans a session keeps.",
        "Those that it has not used for the longest time go first. Zero: none.", &shapes, 500, 0,
        INT_MAX, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    ::DefineCustomEnumVariable(
        "herd.read_consistency",
        "Whether a statement over several nodes sees all or nothing of each transaction.", nullptr,
        &read_consistency, 0, kReadConsistency, PGC_USERSET, 0, nullptr, nullptr, nullptr);
}

std::uint64_t plan_settings() {
    return (route ? 1U : 0U) | (fragment_joins ? 2U : 0U) | (partial_aggregates ? 4U : 0U) |
           (binary ? 8U : 0U) | (static_cast<unsigned>(read_consistency) << 4U) |
           (ownership_filter() == OwnershipFilter::kAlways ? 128U : 0U) |
           (static_cast<std::uint64_t>(rows) << 8U);
}

bool route_enabled() {
    return route;
}

bool fragment_joins_enabled() {
    return fragment_joins;
}

bool partial_aggregates_enabled() {
    return partial_aggregates;
}

bool binary_enabled() {
    return binary;
}

int max_shapes() {
    return shapes;
}

int batch_rows() {
    return rows;
}

bool reads_are_strict() {
    return read_consistency == 1;
}

}  // namespace herd::pg
