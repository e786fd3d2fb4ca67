// Every difference between PostgreSQL 15, 16, 17 and 18 that the extension meets.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include "access/tupconvert.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "storage/latch.h"
#include "utils/guc_tables.h"
#if PG_VERSION_NUM >= 160000
#include "nodes/queryjumble.h"
#include "parser/parse_relation.h"
#else
#include "utils/queryjumble.h"
#endif
}

namespace herd::pg::compat {

inline ::WaitEventSet* create_wait_event_set(::MemoryContext context, int events) {
#if PG_VERSION_NUM >= 170000
    (void)context;
    return ::CreateWaitEventSet(nullptr, events);
#else
    return ::CreateWaitEventSet(context, events);
#endif
}

// All settings, as an array that is valid until the next one is defined.
inline ::config_generic** settings(int* count) {
#if PG_VERSION_NUM >= 160000
    return ::get_guc_variables(count);
#else
    *count = ::GetNumConfigOptions();
    return ::get_guc_variables();
#endif
}

// The number that PostgreSQL gives a query whatever its constants are. It asserts that numbers are
// wanted, which is about those that it shows.
inline uint64 query_identifier(::Query* query) {
    int wanted = ::compute_query_id;
    ::compute_query_id = COMPUTE_QUERY_ID_ON;
    run_finally(
        [&] {
#if PG_VERSION_NUM >= 160000
            (void)::JumbleQuery(query);
#else
            (void)::JumbleQuery(query, "");
#endif
        },
        [&] { ::compute_query_id = wanted; });
    return static_cast<uint64>(query->queryId);
}

// PostgreSQL 15 declares walkers and mutators without their parameters, which C++ takes as none.
using Walker = bool (*)(::Node*, void*);
using Mutator = ::Node* (*)(::Node*, void*);

// By way of void (*)(), which the compiler lets any function become.
template <typename Result, typename Function>
auto untyped(Function function) -> Result (*)() {
    return reinterpret_cast<Result (*)()>(reinterpret_cast<void (*)()>(function));
}

inline bool walk_expression(::Node* node, Walker walker, void* context) {
#if PG_VERSION_NUM >= 160000
    return ::expression_tree_walker_impl(node, walker, context);
#else
    return ::expression_tree_walker(node, untyped<bool>(walker), context);
#endif
}

inline bool walk_query(::Query* query, Walker walker, void* context, int flags) {
#if PG_VERSION_NUM >= 160000
    return ::query_tree_walker_impl(query, walker, context, flags);
#else
    return ::query_tree_walker(query, untyped<bool>(walker), context, flags);
#endif
}

// WCO_VIEW_CONFLICT_CHECK, the last kind: minor releases of 2026 have it, earlier ones do not.
inline bool is_view_conflict_check(const ::WithCheckOption* option) {
    return static_cast<int>(option->kind) > static_cast<int>(WCO_RLS_MERGE_DELETE_CHECK);
}

using StateWalker = bool (*)(::PlanState*, void*);

inline bool walk_plan_states(::PlanState* state, StateWalker walker, void* context) {
#if PG_VERSION_NUM >= 160000
    return ::planstate_tree_walker_impl(state, walker, context);
#else
    return ::planstate_tree_walker(state, untyped<bool>(walker), context);
#endif
}

inline ::Node* mutate_expression(::Node* node, Mutator mutator, void* context) {
#if PG_VERSION_NUM >= 160000
    return ::expression_tree_mutator_impl(node, mutator, context);
#else
    return ::expression_tree_mutator(node, untyped<::Node*>(mutator), context);
#endif
}

inline ::Query* mutate_query(::Query* query, Mutator mutator, void* context, int flags) {
#if PG_VERSION_NUM >= 160000
    return ::query_tree_mutator_impl(query, mutator, context, flags);
#else
    return ::query_tree_mutator(query, untyped<::Node*>(mutator), context, flags);
#endif
}

// How rows of a partitioned table become rows of its partition; nullptr when they are the same.
inline ::AttrMap* partition_map(::ResultRelInfo* partition, [[maybe_unused]] ::EState* executor) {
#if PG_VERSION_NUM >= 160000
    const ::TupleConversionMap* map = ::ExecGetRootToChildMap(partition, executor);
#else
    const ::TupleConversionMap* map = partition->ri_RootToPartitionMap;
#endif
    return map == nullptr ? nullptr : map->attrMap;
}

}  // namespace herd::pg::compat
