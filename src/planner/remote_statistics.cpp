#include "planner/remote_statistics.hpp"

#include "planner/array_statistics.hpp"
#include "planner/estimate.hpp"
#include "planner/fragment.hpp"
#include "planner/reference_filter.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "miscadmin.h"
#include "parser/parsetree.h"
#include "utils/acl.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"
}

namespace herd::planner {

namespace {

::get_relation_stats_hook_type previous_hook = nullptr;

int index_of(const ::PlannerInfo* root, const ::RangeTblEntry* rte) {
    for (int i = 1; i < root->simple_rel_array_size; ++i) {
        if (root->simple_rte_array[i] == rte) {
            return i;
        }
    }
    return 0;
}

// The fragment whose rows the relation has, alone or beside this server's; the column becomes the
// fragment's.
const Fragment* fragment_behind(const ::PlannerInfo* root, const ::RangeTblEntry* rte,
                                ::AttrNumber* column) {
    const Fragment* fragment = fragment_of(rte);
    if (fragment != nullptr || rte->rtekind != RTE_SUBQUERY || !rte->inh) {
        return fragment;
    }
    int rti = index_of(root, rte);
    for (int i = 0; i < ::list_length(root->append_rel_list); ++i) {
        auto* info = static_cast<::AppendRelInfo*>(::list_nth(root->append_rel_list, i));
        fragment = static_cast<int>(info->parent_relid) == rti
                       ? fragment_of(root->simple_rte_array[info->child_relid])
                       : nullptr;
        if (fragment == nullptr) {
            continue;
        }
        auto* var = static_cast<::Var*>(::list_nth(info->translated_vars, *column - 1));
        if (var == nullptr || !IsA(var, Var)) {
            return nullptr;
        }
        *column = var->varattno;
        return fragment;
    }
    return nullptr;
}

// The column of a table that the query's column is. Groups have each value less often than rows.
::Var* table_column(const ::Query* query, ::AttrNumber column) {
    if (column <= 0 || column > ::list_length(query->targetList) || query->groupClause != NIL ||
        query->groupingSets != NIL || query->distinctClause != NIL) {
        return nullptr;
    }
    auto* entry = static_cast<::TargetEntry*>(::list_nth(query->targetList, column - 1));
    auto* var = reinterpret_cast<::Var*>(entry->expr);
    return IsA(var, Var) && var->varlevelsup == 0 && var->varattno > 0 ? var : nullptr;
}

bool may_read(const ::RangeTblEntry* rte, ::AttrNumber column) {
    Oid user = OidIsValid(rte->checkAsUser) ? rte->checkAsUser : ::GetUserId();
    return rte->securityQuals == NIL &&
           (::pg_class_aclcheck(rte->relid, user, ACL_SELECT) == ACLCHECK_OK ||
            ::pg_attribute_aclcheck(rte->relid, column, user, ACL_SELECT) == ACLCHECK_OK);
}

// A number of distinct values that is a share of the table's rows stays that number in a join.
::HeapTuple with_absolute_distinct(::HeapTuple tuple, double table_rows) {
    ::HeapTuple copy = ::heap_copytuple(tuple);
    auto* statistic = reinterpret_cast<Form_pg_statistic>(GETSTRUCT(copy));
    if (statistic->stadistinct < 0 && table_rows > 0) {
        statistic->stadistinct = static_cast<float4>(-statistic->stadistinct * table_rows);
    }
    return copy;
}

double table_rows(const ::RangeTblEntry* rte) {
    const catalog::Catalog* herd = catalog::current();
    const catalog::Table* table = herd == nullptr ? nullptr : herd->find(rte->relid);
    return table == nullptr || table->kind != TableKind::kDistributed ? 0
                                                                      : rows_of_herd(*herd, *table);
}

double smaller(double one, double other) {
    return one == 0 || (other > 0 && other < one) ? other : one;
}

// values: of ReferenceValues*, for columns of the query's tables. most: different values that the
// column can have; 0: unknown.
bool find_statistics(const ::Query* query, const ::List* values, ::AttrNumber column, double most,
                     ::VariableStatData* data) {
    ::Var* var = table_column(query, column);
    if (var == nullptr) {
        return false;
    }
    ::RangeTblEntry* rte = rt_fetch(var->varno, query->rtable);
    const Broadcast* broadcast = broadcast_of(rte);
    if (broadcast != nullptr) {
        return find_statistics(broadcast->query, broadcast->values, var->varattno,
                               smaller(most, broadcast->rows), data);
    }
    if (rte->rtekind != RTE_RELATION) {
        return false;
    }
    ::HeapTuple tuple =
        ::SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(rte->relid), Int16GetDatum(var->varattno),
                          BoolGetDatum(rte->relkind == 'p'));
    if (!HeapTupleIsValid(tuple)) {
        return false;
    }
    most = smaller(most, most_values(values, var));
    data->statsTuple = with_absolute_distinct(tuple, table_rows(rte));
    ::ReleaseSysCache(tuple);
    auto distinct = reinterpret_cast<Form_pg_statistic>(GETSTRUCT(data->statsTuple))->stadistinct;
    if (most > 0 && (distinct <= 0 || most < distinct)) {
        // Nor are they as frequent as in the table.
        data->statsTuple = statistics_tuple(static_cast<float4>(most));
    }
    data->freefunc = ::heap_freetuple;
    data->acl_ok = may_read(rte, var->varattno);
    return true;
}

bool relation_statistics(::PlannerInfo* root, ::RangeTblEntry* rte, ::AttrNumber column,
                         ::VariableStatData* data) {
    if (previous_hook != nullptr && previous_hook(root, rte, column, data)) {
        return true;
    }
    const Broadcast* broadcast = broadcast_of(rte);
    if (broadcast != nullptr) {
        return find_statistics(broadcast->query, broadcast->values, column, 0, data);
    }
    const Fragment* fragment = fragment_behind(root, rte, &column);
    return fragment != nullptr && find_statistics(fragment->query, NIL, column, 0, data);
}

}  // namespace

void initialize_remote_statistics() {
    previous_hook = ::get_relation_stats_hook;
    ::get_relation_stats_hook = relation_statistics;
}

}  // namespace herd::planner
