#include "planner/modify_plan.hpp"

#include "pg/compat.hpp"
#include "planner/modify_query.hpp"

namespace herd::planner {

namespace {

bool find_current_of(::Node* node, void*) {
    return node != nullptr && (IsA(node, CurrentOfExpr) ||
                               pg::compat::walk_expression(node, find_current_of, nullptr));
}

}  // namespace

::PlannedStmt* plan_modify_rows(const catalog::Catalog& herd, const PlanRequest& request,
                                const catalog::Table& target) {
    auto* query = static_cast<::Query*>(copyObjectImpl(request.query));
    if (find_current_of(query->jointree->quals, nullptr)) {
        refuse_statement("WHERE CURRENT OF", "the cursor's row may be on any node",
                         "Use WHERE with the row's primary key.");
    }
    Rewrite rewrite = {&herd, NIL, NIL, request.parameters};
    ::Query* changed = select_changed(rewrite, query, target);
    rewrite_into_fragments(rewrite, changed);
    ::PlannedStmt* statement = plan_rewritten(rewrite, request, changed);
    statement->commandType = request.query->commandType;
    statement->hasReturning = request.query->returningList != NIL;
    return statement;
}

}  // namespace herd::planner
