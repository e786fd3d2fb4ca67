// RETURNING that is evaluated here: a SELECT over the rows that an INSERT has returned.
#include "executor/with_scan.hpp"
#include "pg/guard.hpp"
#include "planner/fragment.hpp"
#include "planner/planner_hook.hpp"
#include "planner/returned_rows.hpp"
#include "planner/with_plan.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

::PlannedStmt* plan_both(const catalog::Catalog& herd, const PlanRequest& request) {
    auto* insert = static_cast<::Query*>(copyObjectImpl(request.query));
    Returned returned = all_columns(insert);
    ::List* returning = over_returned(returned, insert->returningList);
    insert->returningList = target_list_of(returned);
    auto* part = static_cast<executor::WithPart*>(::palloc0(sizeof(executor::WithPart)));
    char* name = executor::new_tuplestore_name();
    part->name = name;
    part->label = ::get_rel_name(returned.relid);
    PlanRequest part_request = request;
    part_request.query = insert;
    part->statement = plan_by_any_way(herd, part_request);
    PlanRequest rest = request;
    rest.query = select_returned(returned, name, returning);
    ::PlannedStmt* statement = plan_by_any_way(herd, rest);
    executor::wrap_with(statement, ::list_make1(part), true);
    statement->commandType = CMD_INSERT;
    statement->hasReturning = true;
    statement->canSetTag = request.query->canSetTag;
    return statement;
}

}  // namespace

::PlannedStmt* plan_returning_here(const catalog::Catalog& herd, const PlanRequest& request) {
    if (request.query->cteList != NIL &&
        ::checkExprHasSubLink(reinterpret_cast<::Node*>(request.query->returningList))) {
        return plan_with_before(herd, request);
    }
    bool was_part = set_part_of_larger(true);
    ::PlannedStmt* statement = nullptr;
    pg::run_finally([&] { statement = plan_both(herd, request); },
                    [&] { (void)set_part_of_larger(was_part); });
    return statement;
}

}  // namespace herd::planner
