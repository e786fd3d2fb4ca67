#include "planner/conflict_plan.hpp"

#include "executor/with_scan.hpp"
#include "pg/guard.hpp"
#include "planner/conflict_query.hpp"
#include "planner/insert_plan.hpp"
#include "planner/insert_policies.hpp"
#include "planner/planner_hook.hpp"
#include "planner/view_checks.hpp"
#include "planner/with_plan.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

bool has_view_check(const ::Query* insert) {
    return view_checks(insert->withCheckOptions) != NIL;
}

// The nodes apply row security to what they are told to change.
void check_policies(const catalog::Catalog& herd, const ::Query* insert) {
    ::List* policies = NIL;
    for (int i = 0; i < ::list_length(insert->withCheckOptions); ++i) {
        auto* option = static_cast<::WithCheckOption*>(::list_nth(insert->withCheckOptions, i));
        if (option->kind == WCO_RLS_CONFLICT_CHECK || option->kind == WCO_RLS_UPDATE_CHECK) {
            policies = ::lappend(policies, option->qual);
        }
    }
    if (policies != NIL && !nodes_can_apply(herd, policies)) {
        refuse_statement("INSERT",
                         "ON CONFLICT computes values on the coordinator, and row security "
                         "policies need what nodes don't have",
                         "Let the policies read the row itself, settings and reference tables.");
    }
}

::PlannedStmt* plan_update(const catalog::Catalog& herd, const PlanRequest& request,
                           const catalog::Table& target, std::int64_t number,
                           const Returned* returned) {
    Rewrite rewrite = {&herd, NIL, NIL, request.parameters, NIL};
    ::Query* update = update_kept(rewrite, request.query, target, number, returned);
    rewrite_into_fragments(rewrite, update);
    ::PlannedStmt* statement = plan_rewritten(rewrite, request, update);
    statement->commandType = CMD_UPDATE;
    statement->hasReturning = returned != nullptr;
    return statement;
}

executor::WithPart* new_part(::PlannedStmt* statement, const char* name, const char* label) {
    auto* part = static_cast<executor::WithPart*>(::palloc0(sizeof(executor::WithPart)));
    part->statement = statement;
    part->name = name;
    part->label = label;
    return part;
}

// A query without rows.
::Query* select_nothing() {
    auto* query = makeNode(Query);
    query->commandType = CMD_SELECT;
    query->canSetTag = true;
    query->jointree = ::makeFromExpr(NIL, ::makeBoolConst(false, false));
    return query;
}

::PlannedStmt* plan_steps(const catalog::Catalog& herd, const PlanRequest& request,
                          const catalog::Table& target) {
    static int last_number = 0;
    int number = ++last_number;
    const ::Query* insert = request.query;
    Returned rows = all_columns(insert);
    ::List* returning =
        over_returned(rows, static_cast<::List*>(copyObjectImpl(insert->returningList)));
    const Returned* returned = insert->returningList == NIL ? nullptr : &rows;
    char* name = returned == nullptr ? nullptr : executor::new_tuplestore_name();
    PlanRequest first = request;
    first.query = insert_keeping(insert, number, returned);
    first.cursor_options = 0;
    ::PlannedStmt* inserts = plan_insert_rows(herd, first, target, number);
    PlanRequest second = request;
    second.cursor_options = 0;
    ::PlannedStmt* updates = plan_update(herd, second, target, number, returned);
    PlanRequest rest = request;
    rest.query = returned == nullptr ? select_nothing() : select_returned(rows, name, returning);
    ::PlannedStmt* statement = plan_by_any_way(herd, rest);
    const char* table = ::get_rel_name(target.relid);
    executor::wrap_with(statement,
                        ::list_make2(new_part(inserts, name, table),
                                     new_part(updates, name, ::psprintf("conflicts in %s", table))),
                        true);
    statement->commandType = CMD_INSERT;
    statement->hasReturning = returned != nullptr;
    statement->canSetTag = insert->canSetTag;
    return statement;
}

}  // namespace

const char* why_conflicts_here(const catalog::Catalog& herd, const ::Query* insert,
                               const catalog::Table& target) {
    const ::OnConflictExpr* conflict = insert->onConflict;
    if (conflict == nullptr || conflict->action != ONCONFLICT_UPDATE) {
        return nullptr;
    }
    const char* reason =
        why_not_on_nodes(herd, reinterpret_cast<::Node*>(conflict->onConflictSet), target);
    if (reason == nullptr) {
        reason = why_not_on_nodes(herd, conflict->onConflictWhere, target);
    }
    if (reason == nullptr && has_view_check(insert)) {
        reason = "the view has a check";
    }
    return reason;
}

::PlannedStmt* plan_conflicts_here(const catalog::Catalog& herd, const PlanRequest& request,
                                   const catalog::Table& target) {
    const ::Query* insert = request.query;
    check_policies(herd, insert);
    (void)insert_policy_place(herd, insert, target);
    if (insert->cteList != NIL) {
        return plan_with_before(herd, request);
    }
    bool was_part = set_part_of_larger(true);
    ::PlannedStmt* statement = nullptr;
    pg::run_finally([&] { statement = plan_steps(herd, request, target); },
                    [&] { (void)set_part_of_larger(was_part); });
    return statement;
}

}  // namespace herd::planner
