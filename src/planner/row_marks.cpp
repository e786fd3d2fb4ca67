// SELECT ... FOR UPDATE and its kin over several nodes: the lock clause goes into the fragments.
#include "pg/compat.hpp"
#include "planner/fragment_parts.hpp"
#include "planner/remote_relation.hpp"
#include "planner/shippable.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "rewrite/rewriteManip.h"
}

namespace herd::planner {

namespace {

// What of a query can be said over the entry alone, with no other row in sight.
bool goes_inside(::Node* expression) {
    return expression == nullptr ||
           (!::checkExprHasSubLink(expression) && !::contain_vars_of_level(expression, 1) &&
            sendable_expression(expression) && is_shippable(expression) &&
            !::contain_volatile_functions(expression));
}

// Whether the query is nothing but a choice of the entry's rows, in some order.
bool is_plain_choice(const ::Query* query, ::Index rti) {
    if (query->commandType != CMD_SELECT || query->groupClause != NIL || query->hasAggs ||
        query->groupingSets != NIL || query->havingQual != nullptr || query->hasWindowFuncs ||
        query->distinctClause != NIL || query->setOperations != nullptr || query->hasTargetSRFs ||
        ::list_length(query->jointree->fromlist) != 1) {
        return false;
    }
    auto* item = static_cast<::Node*>(linitial(query->jointree->fromlist));
    return IsA(item, RangeTblRef) &&
           reinterpret_cast<::RangeTblRef*>(item)->rtindex == static_cast<int>(rti) &&
           goes_inside(query->jointree->quals);
}

::Node* over_entry(const void* expression, ::Index rti) {
    auto* copy = static_cast<::Node*>(copyObjectImpl(expression));
    ::ChangeVarNodes(copy, static_cast<int>(rti), 1, 0);
    return copy;
}

bool move_order(const ::Query* query, ::Index rti, ::Query* base) {
    ::List* entries = NIL;
    for (int i = 0; i < ::list_length(query->sortClause); ++i) {
        auto* clause = static_cast<::SortGroupClause*>(::list_nth(query->sortClause, i));
        auto* entry = static_cast<::TargetEntry*>(copyObjectImpl(
            ::get_sortgroupclause_tle(clause, const_cast<::List*>(query->targetList))));
        if (!goes_inside(reinterpret_cast<::Node*>(entry->expr))) {
            return false;
        }
        entry->expr = reinterpret_cast<::Expr*>(over_entry(entry->expr, rti));
        entry->resjunk = true;
        entry->resname = nullptr;
        entries = ::lappend(entries, entry);
    }
    base->targetList = entries;
    base->sortClause = static_cast<::List*>(copyObjectImpl(query->sortClause));
    return true;
}

// As many rows as LIMIT and OFFSET let through, in every place.
void move_limit(const ::Query* query, ::Query* base) {
    auto* count = reinterpret_cast<const ::Const*>(query->limitCount);
    auto* offset = reinterpret_cast<const ::Const*>(query->limitOffset);
    if (count == nullptr) {
        return;
    }
    if (offset != nullptr) {
        if (!IsA(count, Const) || !IsA(offset, Const) || count->constisnull ||
            offset->constisnull) {
            return;
        }
        int64 sum = 0;
        if (pg_add_s64_overflow(DatumGetInt64(count->constvalue),
                                Max(DatumGetInt64(offset->constvalue), 0), &sum)) {
            return;
        }
        base->limitCount = reinterpret_cast<::Node*>(::makeConst(
            INT8OID, -1, InvalidOid, sizeof(int64), Int64GetDatum(sum), false, FLOAT8PASSBYVAL));
    } else if (goes_inside(query->limitCount)) {
        base->limitCount = static_cast<::Node*>(copyObjectImpl(query->limitCount));
    }
    base->limitOption = query->limitOption;
}

bool is_outer_join(::Node* node, void*) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, JoinExpr) && reinterpret_cast<::JoinExpr*>(node)->jointype != JOIN_INNER) {
        return true;
    }
    return (IsA(node, JoinExpr) || IsA(node, FromExpr) || IsA(node, List)) &&
           pg::compat::walk_expression(node, is_outer_join, nullptr);
}

}  // namespace

bool locks_in_outer_join(::Node* node, void* argument) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Query)) {
        auto* query = reinterpret_cast<::Query*>(node);
        return (query->rowMarks != NIL &&
                is_outer_join(reinterpret_cast<::Node*>(query->jointree), nullptr)) ||
               pg::compat::walk_query(query, locks_in_outer_join, argument, 0);
    }
    return pg::compat::walk_expression(node, locks_in_outer_join, argument);
}

void move_row_mark(::Query* query, ::Index rti, ::Query* base) {
    for (int i = 0; i < ::list_length(query->rowMarks); ++i) {
        auto* mark = static_cast<::RowMarkClause*>(::list_nth(query->rowMarks, i));
        if (mark->rti != rti) {
            continue;
        }
        query->rowMarks = ::list_delete_nth_cell(query->rowMarks, i);
        query->hasForUpdate = query->rowMarks != NIL;
        auto* moved = static_cast<::RowMarkClause*>(copyObjectImpl(mark));
        moved->rti = 1;
        moved->pushedDown = false;
        base->rowMarks = ::list_make1(moved);
        base->hasForUpdate = true;
        if (is_plain_choice(query, rti)) {
            base->jointree->quals = over_entry(query->jointree->quals, rti);
            query->jointree->quals = nullptr;
            if (move_order(query, rti, base)) {
                move_limit(query, base);
            }
        }
        return;
    }
}

Locking locking_of(const ::Query* base) {
    Locking locking = Locking::kNone;
    for (int i = 0; i < ::list_length(base->rowMarks); ++i) {
        auto* mark = static_cast<::RowMarkClause*>(::list_nth(base->rowMarks, i));
        locking = mark->waitPolicy == LockWaitBlock || locking == Locking::kWaits
                      ? Locking::kWaits
                      : Locking::kDoesNotWait;
    }
    return locking;
}

}  // namespace herd::planner
