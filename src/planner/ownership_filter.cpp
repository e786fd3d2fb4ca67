#include "planner/ownership_filter.hpp"

#include <cstring>

#include "base/sqlstate.hpp"
#include "catalog/own_row.hpp"
#include "pg/guard.hpp"
#include "pg/local_only.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/plancat.h"
#include "parser/parse_func.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

::get_relation_info_hook_type previous_hook = nullptr;

// The herd whose rows the plan in the making is to filter, or nullptr.
const catalog::Catalog* filtering = nullptr;
bool suspended = false;

const catalog::Table* table_to_filter(const catalog::Catalog& herd, Oid relid) {
    const catalog::Table* table = herd.find(relid);
    return table != nullptr && catalog::needs_filter(*table) ? table : nullptr;
}

// ---- before planning: what a scan cannot filter by ----

bool returns_column(const ::IndexOptInfo* index, int attnum) {
    for (int i = 0; i < index->ncolumns; ++i) {
        if (index->indexkeys[i] == attnum && index->canreturn[i]) {
            return true;
        }
    }
    return false;
}

// An index alone can answer only if it has the key.
void leave_out_keyless_indexes(::PlannerInfo* root, Oid relid, bool inhparent, ::RelOptInfo* rel) {
    if (previous_hook != nullptr) {
        previous_hook(root, relid, inhparent, rel);
    }
    const catalog::Table* table =
        filtering == nullptr ? nullptr : table_to_filter(*filtering, relid);
    if (table == nullptr) {
        return;
    }
    for (int i = 0; i < ::list_length(rel->indexlist); ++i) {
        auto* index = static_cast<::IndexOptInfo*>(::list_nth(rel->indexlist, i));
        if (!returns_column(index, table->key_attnum)) {
            std::memset(index->canreturn, 0,
                        sizeof(bool) * static_cast<std::size_t>(index->ncolumns));
        }
    }
}

// ---- in the plan ----

Oid filter_function() {
    Oid arguments[] = {REGCLASSOID, ANYOID};
    ::List* name = list_make2(::makeString(::pstrdup("herd")), ::makeString(::pstrdup("owns_row")));
    return ::LookupFuncName(name, 2, arguments, false);
}

// The columns of an index-only scan are the index's.
AttrNumber column_of_index(const ::IndexOnlyScan* scan, int attnum) {
    for (int i = 0; i < ::list_length(scan->indextlist); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(scan->indextlist, i));
        if (!entry->resjunk && IsA(entry->expr, Var) &&
            reinterpret_cast<::Var*>(entry->expr)->varattno == attnum) {
            return entry->resno;
        }
    }
    elog(ERROR, "an index-only scan without the distribution key of %u",
         static_cast<unsigned>(scan->scan.scanrelid));
}

::Var* key_of(const catalog::Table& table, const ::Scan* scan) {
    Oid type = InvalidOid;
    int32 typmod = -1;
    Oid collation = InvalidOid;
    ::get_atttypetypmodcoll(table.relid, table.key_attnum, &type, &typmod, &collation);
    if (IsA(scan, IndexOnlyScan)) {
        AttrNumber column =
            column_of_index(reinterpret_cast<const ::IndexOnlyScan*>(scan), table.key_attnum);
        return ::makeVar(INDEX_VAR, column, type, typmod, collation, 0);
    }
    return ::makeVar(static_cast<int>(scan->scanrelid), table.key_attnum, type, typmod, collation,
                     0);
}

void filter_scan(const catalog::Catalog& herd, const ::PlannedStmt* statement, ::Scan* scan) {
    if (scan->scanrelid == 0) {
        return;
    }
    const ::RangeTblEntry* rte = rt_fetch(scan->scanrelid, statement->rtable);
    const catalog::Table* table =
        rte->rtekind == RTE_RELATION ? table_to_filter(herd, rte->relid) : nullptr;
    if (table == nullptr) {
        return;
    }
    if (IsA(scan, CustomScan) || IsA(scan, ForeignScan)) {
        ereport(ERROR,
                (errcode(sqlstate::kStatementNotCovered.code),
                 errmsg("rows of table \"%s\" that other nodes own cannot be left out of a plan "
                        "that another extension has made",
                        ::get_rel_name(rte->relid)),
                 errhint("Turn off that extension's way to scan the table.")));
    }
    ::Const* relation = ::makeConst(REGCLASSOID, -1, InvalidOid, sizeof(Oid),
                                    ObjectIdGetDatum(table->root), false, true);
    ::FuncExpr* filter =
        ::makeFuncExpr(filter_function(), BOOLOID, list_make2(relation, key_of(*table, scan)),
                       InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
    // First, so that the other conditions meet only rows that count.
    scan->plan.qual = ::lcons(filter, scan->plan.qual);
}

struct Filter {
    const catalog::Catalog& herd;
    const ::PlannedStmt* statement;

    void put_into(::Plan* plan) const;
    void put_into_each(const ::List* plans) const {
        for (int i = 0; i < ::list_length(plans); ++i) {
            put_into(static_cast<::Plan*>(::list_nth(plans, i)));
        }
    }
};

void Filter::put_into(::Plan* plan) const {
    if (plan == nullptr) {
        return;
    }
    ::check_stack_depth();
    switch (nodeTag(plan)) {
        case T_SeqScan:
        case T_SampleScan:
        case T_IndexScan:
        case T_IndexOnlyScan:
        case T_BitmapHeapScan:  // not the BitmapIndexScans below it, which have no rows
        case T_TidScan:
        case T_TidRangeScan:
        case T_ForeignScan:
            filter_scan(herd, statement, reinterpret_cast<::Scan*>(plan));
            break;
        case T_CustomScan:
            filter_scan(herd, statement, reinterpret_cast<::Scan*>(plan));
            put_into_each(reinterpret_cast<::CustomScan*>(plan)->custom_plans);
            break;
        case T_Append:
            put_into_each(reinterpret_cast<::Append*>(plan)->appendplans);
            break;
        case T_MergeAppend:
            put_into_each(reinterpret_cast<::MergeAppend*>(plan)->mergeplans);
            break;
        case T_SubqueryScan:
            put_into(reinterpret_cast<::SubqueryScan*>(plan)->subplan);
            break;
        default:
            break;
    }
    put_into(plan->lefttree);
    put_into(plan->righttree);
}

const catalog::Catalog* find_herd() {
    if (suspended || pg::local_only() || !catalog::may_need_filter()) {
        return nullptr;
    }
    return pg::enter("ownership filter", [] { return catalog::current(); });
}

}  // namespace

::PlannedStmt* plan_owned_rows(::Query* query, const char* text, int cursor_options,
                               ::ParamListInfo parameters, ::planner_hook_type plain) {
    const catalog::Catalog* herd = find_herd();
    const catalog::Catalog* outer = filtering;
    if (herd == nullptr && outer == nullptr) {
        return plain(query, text, cursor_options, parameters);
    }
    ::PlannedStmt* statement = nullptr;
    pg::run_finally(
        [&] {
            filtering = herd;
            statement = plain(query, text, cursor_options, parameters);
        },
        [&] { filtering = outer; });
    if (herd != nullptr) {
        Filter filter = {*herd, statement};
        filter.put_into(statement->planTree);
        filter.put_into_each(statement->subplans);
    }
    return statement;
}

bool suspend_ownership_filter(bool suspend) {
    bool before = suspended;
    suspended = suspend;
    return before;
}

void initialize_ownership_filter() {
    previous_hook = ::get_relation_info_hook;
    ::get_relation_info_hook = leave_out_keyless_indexes;
}

}  // namespace herd::planner
