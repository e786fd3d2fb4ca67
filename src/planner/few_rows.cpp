#include "planner/few_rows.hpp"

#include "planner/row_identity.hpp"

extern "C" {
#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace herd::planner {

namespace {

constexpr int64 kFew = 10;

// The table's columns that the condition, or all of several, set equal to something that does not
// depend on it. As row_identity has them.
::Bitmapset* fixed_columns(::Node* condition, int table) {
    if (condition == nullptr) {
        return nullptr;
    }
    if (is_andclause(condition)) {
        ::Bitmapset* columns = nullptr;
        const ::List* parts = reinterpret_cast<::BoolExpr*>(condition)->args;
        for (int i = 0; i < ::list_length(parts); ++i) {
            columns = ::bms_join(columns,
                                 fixed_columns(static_cast<::Node*>(::list_nth(parts, i)), table));
        }
        return columns;
    }
    auto* operation = reinterpret_cast<::OpExpr*>(condition);
    if (!IsA(operation, OpExpr) || ::list_length(operation->args) != 2 ||
        ::get_oprrest(operation->opno) != F_EQSEL) {
        return nullptr;
    }
    ::Bitmapset* columns = nullptr;
    for (int side = 0; side < 2; ++side) {
        auto* column = static_cast<::Var*>(::list_nth(operation->args, side));
        auto* other = static_cast<::Node*>(::list_nth(operation->args, 1 - side));
        if (IsA(column, Var) && column->varno == table && column->varlevelsup == 0 &&
            column->varattno > 0 && !::contain_var_clause(other)) {
            columns =
                ::bms_add_member(columns, column->varattno - FirstLowInvalidHeapAttributeNumber);
        }
    }
    return columns;
}

bool finds_one_row(const ::RangeTblEntry* entry, const ::Bitmapset* columns) {
    if (columns == nullptr) {
        return false;
    }
    ::Relation relation = ::relation_open(entry->relid, NoLock);
    bool alone = relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE || !entry->inh ||
                 !::has_subclass(entry->relid);
    bool by_row = true;
    const ::Bitmapset* identity = alone ? row_identity(relation, &by_row) : nullptr;
    ::relation_close(relation, NoLock);
    return !by_row && ::bms_is_subset(identity, columns);
}

bool limits_to_few(const ::Query* query) {
    auto* count = reinterpret_cast<const ::Const*>(query->limitCount);
    return count != nullptr && IsA(count, Const) && !count->constisnull &&
           query->limitOption == LIMIT_OPTION_COUNT && DatumGetInt64(count->constvalue) <= kFew;
}

bool makes_one_group(const ::Query* query) {
    return query->hasAggs && query->groupClause == NIL && query->groupingSets == NIL &&
           !query->hasTargetSRFs;
}

// SELECT, UPDATE or DELETE of one table.
bool reads_one_row(const ::Query* query) {
    if (query->setOperations != nullptr || query->hasTargetSRFs || query->cteList != NIL ||
        query->jointree == nullptr || ::list_length(query->jointree->fromlist) != 1) {
        return false;
    }
    auto* from = static_cast<::RangeTblRef*>(linitial(query->jointree->fromlist));
    if (!IsA(from, RangeTblRef)) {
        return false;
    }
    const ::RangeTblEntry* entry = rt_fetch(from->rtindex, query->rtable);
    return entry->rtekind == RTE_RELATION && entry->relkind != RELKIND_VIEW &&
           finds_one_row(entry, fixed_columns(query->jointree->quals, from->rtindex));
}

}  // namespace

bool returns_few_rows(const ::Query* query) {
    if (query->commandType != CMD_SELECT && query->returningList == NIL) {
        return true;
    }
    if (query->commandType == CMD_SELECT && (limits_to_few(query) || makes_one_group(query))) {
        return true;
    }
    return query->commandType != CMD_INSERT && query->commandType != CMD_MERGE &&
           reads_one_row(query);
}

}  // namespace herd::planner
