#include "planner/array_statistics.hpp"

#include <algorithm>

#include "transaction/internal.hpp"

extern "C" {
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_statistic.h"
#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"
#include "utils/typcache.h"
}

namespace herd::planner {

namespace {

::get_relation_stats_hook_type previous_hook = nullptr;

constexpr int kSample = 3000;
// Rows for so few different values are found faster by an index, which PostgreSQL uses as long as
// it will not hash them.
constexpr int kFewValues = 1000;
// Values that come this often on average are no keys to look up.
constexpr int kOften = 10;

struct Order {
    ::FmgrInfo* compare;
    Oid collation;
};

int compare_values(const void* left, const void* right, void* argument) {
    auto* order = static_cast<const Order*>(argument);
    return DatumGetInt32(::FunctionCall2Coll(order->compare, order->collation,
                                             *static_cast<const Datum*>(left),
                                             *static_cast<const Datum*>(right)));
}

// As pg_statistic has it: a number, or the negative share of the rows. 0: unknown.
float4 distinct_values(const ::Const* array) {
    Oid type = ::get_element_type(array->consttype);
    ::TypeCacheEntry* entry = ::lookup_type_cache(type, TYPECACHE_CMP_PROC_FINFO);
    if (!OidIsValid(type) || !OidIsValid(entry->cmp_proc_finfo.fn_oid)) {
        return 0;
    }
    Datum* values = nullptr;
    bool* nulls = nullptr;
    int count = 0;
    ::deconstruct_array(DatumGetArrayTypeP(array->constvalue), type, entry->typlen, entry->typbyval,
                        entry->typalign, &values, &nulls, &count);
    int step = count / kSample + 1;
    int sampled = 0;
    for (int i = 0; i < count; i += step) {
        if (!nulls[i]) {
            values[sampled++] = values[i];
        }
    }
    Order order = {&entry->cmp_proc_finfo, array->constcollid};
    ::qsort_arg(values, static_cast<std::size_t>(sampled), sizeof(Datum), compare_values, &order);
    int distinct = sampled > 0 ? 1 : 0;
    for (int i = 1; i < sampled; ++i) {
        distinct += compare_values(&values[i - 1], &values[i], &order) != 0 ? 1 : 0;
    }
    if (count < kFewValues && distinct > sampled / kOften) {
        return 0;
    }
    bool grows = step > 1 && distinct > sampled / kOften;
    return grows ? -static_cast<float4>(distinct) / static_cast<float4>(sampled)
                 : static_cast<float4>(distinct);
}

const ::Const* array_behind(const ::RangeTblEntry* rte, ::AttrNumber column) {
    if (rte->rtekind != RTE_FUNCTION || column <= 0 || column > ::list_length(rte->functions)) {
        return nullptr;
    }
    auto* function = static_cast<::RangeTblFunction*>(::list_nth(rte->functions, column - 1));
    auto* call = reinterpret_cast<::FuncExpr*>(function->funcexpr);
    if (call == nullptr || !IsA(call, FuncExpr) || call->funcid != F_UNNEST_ANYARRAY ||
        !IsA(linitial(call->args), Const)) {
        return nullptr;
    }
    auto* array = static_cast<::Const*>(linitial(call->args));
    return array->constisnull ? nullptr : array;
}

bool array_statistics(::PlannerInfo* root, ::RangeTblEntry* rte, ::AttrNumber column,
                      ::VariableStatData* data) {
    if (previous_hook != nullptr && previous_hook(root, rte, column, data)) {
        return true;
    }
    const ::Const* array = transaction::is_internal_session() ? array_behind(rte, column) : nullptr;
    float4 distinct = array == nullptr ? 0 : distinct_values(array);
    if (distinct == 0) {
        return false;
    }
    data->statsTuple = statistics_tuple(distinct);
    data->freefunc = ::heap_freetuple;
    data->acl_ok = true;
    return true;
}

}  // namespace

::HeapTuple statistics_tuple(float4 distinct) {
    ::Relation relation = ::table_open(StatisticRelationId, AccessShareLock);
    Datum values[Natts_pg_statistic] = {};
    bool nulls[Natts_pg_statistic] = {};
    std::fill(nulls + Anum_pg_statistic_stanumbers1 - 1, nulls + Natts_pg_statistic, true);
    values[Anum_pg_statistic_stadistinct - 1] = Float4GetDatum(distinct);
    ::HeapTuple tuple = ::heap_form_tuple(RelationGetDescr(relation), values, nulls);
    ::table_close(relation, AccessShareLock);
    return tuple;
}

void initialize_array_statistics() {
    previous_hook = ::get_relation_stats_hook;
    ::get_relation_stats_hook = array_statistics;
}

}  // namespace herd::planner
