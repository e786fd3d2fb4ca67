// RETURNING that is evaluated here: a SELECT over the rows that an INSERT has returned.
#include "executor/with_scan.hpp"
#include "pg/guard.hpp"
#include "planner/fragment.hpp"
#include "planner/planner_hook.hpp"
#include "planner/returned_rows.hpp"
#include "planner/view_checks.hpp"
#include "planner/with_plan.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

// Which of an INSERT's checks are made when its rows have come back.
struct Afterwards {
    bool views;
    bool policies;
};

// Takes these checks from the INSERT: conditions over its rows that raise the errors.
::List* take_checks(::Query* insert, const Afterwards& which) {
    const ::List* options = insert->withCheckOptions;
    ::List* checks = which.policies ? policy_checks(options, WCO_RLS_INSERT_CHECK) : NIL;
    checks = which.views ? ::list_concat(checks, view_checks(options)) : checks;
    ::List* others = NIL;
    for (int i = 0; i < ::list_length(options); ++i) {
        auto* option = static_cast<::WithCheckOption*>(::list_nth(options, i));
        bool taken = option->kind == WCO_VIEW_CHECK ? which.views : which.policies;
        others = taken ? others : ::lappend(others, option);
    }
    insert->withCheckOptions = others;
    return checks;
}

::PlannedStmt* plan_both(const catalog::Catalog& herd, const PlanRequest& request,
                         const Afterwards& which) {
    auto* insert = static_cast<::Query*>(copyObjectImpl(request.query));
    Returned returned = all_columns(insert);
    ::List* checks = over_returned(returned, take_checks(insert, which));
    ::List* returning = over_returned(returned, insert->returningList);
    insert->returningList = target_list_of(returned);
    auto* part = static_cast<executor::WithPart*>(::palloc0(sizeof(executor::WithPart)));
    char* name = executor::new_tuplestore_name();
    part->name = name;
    part->label = ::get_rel_name(returned.relid);
    PlanRequest part_request = request;
    part_request.query = insert;
    part_request.policies_applied = request.policies_applied || which.policies;
    part->statement = plan_by_any_way(herd, part_request);
    PlanRequest rest = request;
    rest.query = select_returned(returned, name, returning, checks);
    ::PlannedStmt* statement = plan_by_any_way(herd, rest);
    executor::wrap_with(statement, ::list_make1(part), true);
    statement->commandType = CMD_INSERT;
    statement->hasReturning = returning != NIL;
    statement->canSetTag = request.query->canSetTag;
    return statement;
}

::PlannedStmt* plan_in_steps(const catalog::Catalog& herd, const PlanRequest& request,
                             const Afterwards& which) {
    if (request.query->cteList != NIL &&
        ::checkExprHasSubLink(reinterpret_cast<::Node*>(request.query->returningList))) {
        return plan_with_before(herd, request);
    }
    bool was_part = set_part_of_larger(true);
    ::PlannedStmt* statement = nullptr;
    pg::run_finally([&] { statement = plan_both(herd, request, which); },
                    [&] { (void)set_part_of_larger(was_part); });
    return statement;
}

}  // namespace

::PlannedStmt* plan_returning_here(const catalog::Catalog& herd, const PlanRequest& request) {
    return plan_in_steps(herd, request, {false, false});
}

::PlannedStmt* plan_checks_afterwards(const catalog::Catalog& herd, const PlanRequest& request,
                                      bool policies) {
    return plan_in_steps(herd, request, {true, policies});
}

}  // namespace herd::planner
