#include "planner/modify_plan.hpp"

#include "planner/cursor_plan.hpp"
#include "planner/modify_query.hpp"

namespace herd::planner {

::PlannedStmt* plan_modify_rows(const catalog::Catalog& herd, const PlanRequest& request,
                                const catalog::Table& target) {
    auto* query = static_cast<::Query*>(copyObjectImpl(request.query));
    find_current_row(query, target);
    Rewrite rewrite = {&herd, NIL, NIL, request.parameters};
    ::Query* changed = select_changed(rewrite, query, target);
    rewrite_into_fragments(rewrite, changed);
    ::PlannedStmt* statement = plan_rewritten(rewrite, request, changed);
    statement->commandType = request.query->commandType;
    statement->hasReturning = request.query->returningList != NIL;
    return statement;
}

}  // namespace herd::planner
