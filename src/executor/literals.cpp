#include "executor/literals.hpp"

#include <cstring>

extern "C" {
#include "nodes/extensible.h"
#include "nodes/params.h"
#include "nodes/primnodes.h"
}

namespace herd::executor {

namespace {

// Among the flags of a CustomScan, of which PostgreSQL uses the low ones: the last element of
// custom_private is a list of literals.
constexpr uint32 kCarriesLiterals = 1U << 31U;

}  // namespace

bool can_carry_literals(const ::PlannedStmt* statement) {
    if (!IsA(statement->planTree, CustomScan)) {
        return false;
    }
    const char* name = reinterpret_cast<::CustomScan*>(statement->planTree)->methods->CustomName;
    return std::strcmp(name, "HerdStatement") == 0 || std::strcmp(name, "HerdInsert") == 0;
}

void attach_literals(::PlannedStmt* statement, ::List* literals) {
    auto* scan = reinterpret_cast<::CustomScan*>(statement->planTree);
    scan->custom_private = ::lappend(scan->custom_private, literals);
    scan->flags |= kCarriesLiterals;
}

void pass_literals(::QueryDesc* query) {
    auto* scan = reinterpret_cast<::CustomScan*>(query->plannedstmt->planTree);
    if (scan == nullptr || !IsA(scan, CustomScan) || (scan->flags & kCarriesLiterals) == 0) {
        return;
    }
    auto* literals = static_cast<::List*>(llast(scan->custom_private));
    ::ParamListInfo values = ::makeParamList(::list_length(literals));
    for (int i = 0; i < values->numParams; ++i) {
        const auto* literal = static_cast<const ::Const*>(::list_nth(literals, i));
        values->params[i] = {literal->constvalue, literal->constisnull, PARAM_FLAG_CONST,
                             literal->consttype};
    }
    query->params = values;
}

}  // namespace herd::executor
