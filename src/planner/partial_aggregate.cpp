#include "planner/partial_aggregate.hpp"

#include <cstring>

#include "pg/guard.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_type.h"
#include "nodes/pg_list.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
}

namespace herd::planner {

namespace {

[[noreturn]] void refuse(const char* reason) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("cannot return partial aggregates: %s", reason)));
    pg_unreachable();
}

// What else than grouping the query does, or nullptr.
const char* surplus(const ::Query* query) {
    if (query->commandType != CMD_SELECT || query->setOperations != nullptr ||
        query->rowMarks != NIL) {
        return "not a plain SELECT";
    }
    if (query->groupingSets != NIL) {
        return "GROUPING SETS";
    }
    if (query->havingQual != nullptr) {
        return "HAVING";
    }
    if (query->sortClause != NIL || query->limitCount != nullptr || query->limitOffset != nullptr) {
        return "ORDER BY or LIMIT";
    }
    if (query->distinctClause != NIL || query->hasWindowFuncs || query->hasTargetSRFs) {
        return "DISTINCT, a window function or a set-returning function";
    }
    return nullptr;
}

struct StateForm {
    bool combines;
    bool travels;  // has both serialising functions, or needs none
    bool is_result;
};

StateForm state_form(const ::Aggref* aggregate) {
    ::HeapTuple tuple = ::SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggregate->aggfnoid));
    if (!HeapTupleIsValid(tuple)) {
        elog(ERROR, "cache lookup failed for aggregate %u", aggregate->aggfnoid);
    }
    auto* form = reinterpret_cast<Form_pg_aggregate>(GETSTRUCT(tuple));
    StateForm found;
    found.combines = OidIsValid(form->aggcombinefn);
    found.travels = form->aggtranstype != INTERNALOID ||
                    (OidIsValid(form->aggserialfn) && OidIsValid(form->aggdeserialfn));
    found.is_result = !OidIsValid(form->aggfinalfn) && form->aggtranstype != INTERNALOID;
    ::ReleaseSysCache(tuple);
    return found;
}

// Whether the aggregate's state is its result.
bool check_aggregate(const ::Aggref* aggregate) {
    if (aggregate->agglevelsup != 0) {
        refuse("an aggregate of an outer query");
    }
    if (aggregate->aggkind != AGGKIND_NORMAL || aggregate->aggorder != NIL ||
        aggregate->aggdistinct != NIL) {
        refuse("an aggregate with DISTINCT or ORDER BY");
    }
    StateForm form = state_form(aggregate);
    if (!form.combines || !form.travels) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("cannot return partial aggregates: %s cannot be combined",
                               ::format_procedure(aggregate->aggfnoid))));
    }
    return form.is_result;
}

void mark(::Aggref* aggregate, ::AggSplit split) {
    aggregate->aggsplit = split;
    aggregate->aggtype =
        aggregate->aggtranstype == INTERNALOID ? BYTEAOID : aggregate->aggtranstype;
}

// A plain Agg becomes the first stage; the last stage of a parallel plan still combines the
// workers' states, but hands the combined one on.
::AggSplit split_of(const ::Agg* agg) {
    if (agg->aggsplit == AGGSPLIT_SIMPLE) {
        return AGGSPLIT_INITIAL_SERIAL;
    }
    if (!DO_AGGSPLIT_COMBINE(agg->aggsplit) || DO_AGGSPLIT_SKIPFINAL(agg->aggsplit)) {
        refuse("the plan's top is no final aggregate");
    }
    return static_cast<::AggSplit>(agg->aggsplit | AGGSPLITOP_SKIPFINAL | AGGSPLITOP_SERIALIZE);
}

}  // namespace

bool asks_for_states(const char* query_string) {
    return query_string != nullptr &&
           std::strncmp(query_string, kPartialMark, sizeof(kPartialMark) - 1) == 0;
}

bool check_partial_query(const ::Query* query) {
    const char* reason = surplus(query);
    if (reason != nullptr) {
        refuse(reason);
    }
    bool results_only = true;
    for (int i = 0; i < ::list_length(query->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(query->targetList, i));
        auto* expression = reinterpret_cast<::Node*>(entry->expr);
        if (IsA(expression, Aggref)) {
            results_only &= check_aggregate(reinterpret_cast<::Aggref*>(expression));
        } else if (::contain_agg_clause(expression)) {
            refuse("an expression over an aggregate");
        }
    }
    return results_only;
}

void return_states(::PlannedStmt* statement) {
    auto* agg = reinterpret_cast<::Agg*>(statement->planTree);
    if (!IsA(agg, Agg) || agg->plan.qual != NIL || agg->groupingSets != NIL || agg->chain != NIL) {
        refuse("the plan's top is no aggregate");
    }
    ::AggSplit split = split_of(agg);
    for (int i = 0; i < ::list_length(agg->plan.targetlist); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(agg->plan.targetlist, i));
        auto* expression = reinterpret_cast<::Node*>(entry->expr);
        if (IsA(expression, Aggref)) {
            mark(reinterpret_cast<::Aggref*>(expression), split);
        } else if (::contain_agg_clause(expression)) {
            refuse("the plan computes over an aggregate");
        }
    }
    agg->aggsplit = split;
}

}  // namespace herd::planner
