#include "planner/modify_path.hpp"

#include "planner/modify_query.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/pathnode.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
}

namespace herd::planner {

namespace {

// Every column of the changes, as range table entry rti.
::List* columns_of(const ::RangeTblEntry* rte, ::Index rti, int count) {
    ::List* columns = NIL;
    for (int i = 0; i < count; ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(rte->subquery->targetList, i));
        columns =
            ::lappend(columns, ::makeTargetEntry(reinterpret_cast<::Expr*>(::makeVarFromTargetEntry(
                                                     static_cast<int>(rti), entry)),
                                                 static_cast<::AttrNumber>(i + 1), nullptr, false));
    }
    return columns;
}

::Plan* make_plan(::PlannerInfo* root, ::RelOptInfo* rel, ::CustomPath* path, ::List* tlist,
                  ::List* clauses, ::List* children) {
    auto* modification = static_cast<Modification*>(linitial(path->custom_private));
    ::RangeTblEntry* rte = planner_rt_fetch(rel->relid, root);
    auto* changes = static_cast<::Plan*>(linitial(children));
    if (!IsA(changes, SubqueryScan)) {
        elog(ERROR, "unexpected plan of changes: %d", static_cast<int>(nodeTag(changes)));
    }
    // All columns, and none of the conditions, which are for the rows as they become.
    changes->targetlist = columns_of(rte, rel->relid, modification->columns);
    changes->qual = NIL;
    auto* scan = makeNode(CustomScan);
    scan->scan.plan.targetlist = tlist;
    scan->scan.plan.qual = ::extract_actual_clauses(clauses, false);
    scan->custom_scan_tlist = columns_of(rte, rel->relid, modification->columns);
    scan->custom_relids = rel->relids;
    scan->custom_plans = children;
    scan->custom_private = executor::to_list(modification->plan);
    scan->flags = path->flags;
    scan->methods = executor::modify_scan_methods();
    return &scan->scan.plan;
}

constexpr ::CustomPathMethods kPathMethods = {"HerdModify", make_plan, nullptr};

}  // namespace

void add_modify_path(::RelOptInfo* rel, const Modification& modification) {
    if (IS_DUMMY_REL(rel)) {
        return;  // a condition is never true: nothing to change
    }
    auto* cheapest = static_cast<::Path*>(linitial(rel->pathlist));
    for (int i = 1; i < ::list_length(rel->pathlist); ++i) {
        auto* other = static_cast<::Path*>(::list_nth(rel->pathlist, i));
        cheapest = other->total_cost < cheapest->total_cost ? other : cheapest;
    }
    auto* path = makeNode(CustomPath);
    path->path.pathtype = T_CustomScan;
    path->path.parent = rel;
    path->path.pathtarget = rel->reltarget;
    path->path.parallel_safe = false;
    path->path.rows = cheapest->rows;
    path->path.startup_cost = cheapest->total_cost;
    path->path.total_cost = cheapest->total_cost;
    path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
    path->custom_paths = ::list_make1(cheapest);
    path->custom_private = ::list_make1(const_cast<Modification*>(&modification));
    path->methods = &kPathMethods;
    rel->pathlist = NIL;
    rel->partial_pathlist = NIL;
    ::add_path(rel, &path->path);
}

}  // namespace herd::planner
