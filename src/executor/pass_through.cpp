#include "executor/pass_through.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/tlist.h"
}

namespace herd::executor {

::CustomScan* scan_over(::Plan* child, const ::CustomScanMethods* methods) {
    auto* scan = makeNode(CustomScan);
    for (int i = 0; i < ::list_length(child->targetlist); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(child->targetlist, i));
        auto* expression = reinterpret_cast<::Node*>(entry->expr);
        Oid type = ::exprType(expression);
        int32 typmod = ::exprTypmod(expression);
        Oid collation = ::exprCollation(expression);
        ::TargetEntry* inner = ::flatCopyTargetEntry(entry);
        inner->expr = reinterpret_cast<::Expr*>(::makeNullConst(type, typmod, collation));
        scan->custom_scan_tlist = ::lappend(scan->custom_scan_tlist, inner);
        ::TargetEntry* outer = ::flatCopyTargetEntry(entry);
        if (!IsA(expression, Const)) {
            outer->expr = reinterpret_cast<::Expr*>(
                ::makeVar(INDEX_VAR, entry->resno, type, typmod, collation, 0));
        }
        scan->scan.plan.targetlist = ::lappend(scan->scan.plan.targetlist, outer);
    }
    scan->scan.plan.startup_cost = child->startup_cost;
    scan->scan.plan.total_cost = child->total_cost;
    scan->scan.plan.plan_rows = child->plan_rows;
    scan->scan.plan.plan_width = child->plan_width;
    scan->custom_plans = ::list_make1(child);
    scan->flags = CUSTOMPATH_SUPPORT_PROJECTION;
    scan->methods = methods;
    return scan;
}

}  // namespace herd::executor
