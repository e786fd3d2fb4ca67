#include "executor/checked_statement.hpp"

#include <cstring>

#include "pg/compat.hpp"

namespace herd::executor {

namespace {

bool leave_out(::Node* node, void*) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        reinterpret_cast<::RangeTblEntry*>(node)->securityQuals = NIL;
        return false;
    }
    if (IsA(node, Query)) {
        auto* query = reinterpret_cast<::Query*>(node);
        query->withCheckOptions = NIL;
        return pg::compat::walk_query(query, leave_out, nullptr, QTW_EXAMINE_RTES_BEFORE);
    }
    return pg::compat::walk_expression(node, leave_out, nullptr);
}

}  // namespace

void leave_out_policies(const char* text, ::Query* query) {
    if (text != nullptr && std::strncmp(text, kCheckedMark, sizeof(kCheckedMark) - 1) == 0) {
        (void)leave_out(reinterpret_cast<::Node*>(query), nullptr);
    }
}

}  // namespace herd::executor
