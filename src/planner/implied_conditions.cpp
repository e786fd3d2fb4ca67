#include "planner/implied_conditions.hpp"

#include "planner/key_graph.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
}

namespace herd::planner {

namespace {

// What a condition says about the entries alone: the condition itself if it reads nothing else, or
// of an OR those parts of every arm that do; nullptr: nothing. Inner queries are left where they
// are.
::Node* implied(::Node* condition, ::Bitmapset* entries) {
    ::Bitmapset* read = entries_read(condition);
    if (::checkExprHasSubLink(condition) || refers_outward(condition) ||
        ::contain_volatile_functions(condition) || !::bms_overlap(read, entries)) {
        return nullptr;
    }
    if (::bms_is_subset(read, entries)) {
        return condition;
    }
    ::List* arms = NIL;
    for (int i = 0; ::is_orclause(condition) &&
                    i < ::list_length(reinterpret_cast<::BoolExpr*>(condition)->args);
         ++i) {
        auto* arm =
            static_cast<::Node*>(::list_nth(reinterpret_cast<::BoolExpr*>(condition)->args, i));
        ::List* kept = NIL;
        ::List* parts = conditions_of(arm);
        for (int j = 0; j < ::list_length(parts); ++j) {
            ::Node* part = implied(static_cast<::Node*>(::list_nth(parts, j)), entries);
            kept = part == nullptr ? kept : ::lappend(kept, part);
        }
        if (kept == NIL) {
            return nullptr;
        }
        arms = ::lappend(arms, all_of(kept));
    }
    return arms == NIL ? nullptr : reinterpret_cast<::Node*>(::make_orclause(arms));
}

// The keys of the level's distributed tables: of Var.
::List* key_columns(const QueryLevel& level) {
    ::List* keys = NIL;
    for (int i = 1; i <= ::list_length(level.query->rtable); ++i) {
        ::RangeTblEntry* rte = rt_fetch(i, level.query->rtable);
        const catalog::Table* table =
            rte->rtekind == RTE_RELATION ? level.rewrite->herd->find(rte->relid) : nullptr;
        if (table == nullptr || table->kind != TableKind::kDistributed) {
            continue;
        }
        Oid type = InvalidOid;
        int32 typmod = -1;
        Oid collation = InvalidOid;
        ::get_atttypetypmodcoll(rte->relid, table->key_attnum, &type, &typmod, &collation);
        keys = ::lappend(keys, ::makeVar(i, table->key_attnum, type, typmod, collation, 0));
    }
    return keys;
}

// What makes both columns equal to a third one, or nullptr.
::OpExpr* link_between(::List* conditions, const ::Var* one, const ::Var* other) {
    for (int i = 0; i < ::list_length(conditions); ++i) {
        auto* condition = static_cast<::Node*>(::list_nth(conditions, i));
        ::Var* third = equal_column(condition, one);
        for (int j = 0; third != nullptr && j < ::list_length(conditions); ++j) {
            auto* second = static_cast<::Node*>(::list_nth(conditions, j));
            ::Var* end = equal_column(second, other);
            if (end != nullptr && equal(end, third) &&
                reinterpret_cast<::OpExpr*>(condition)->opno ==
                    reinterpret_cast<::OpExpr*>(second)->opno) {
                return reinterpret_cast<::OpExpr*>(condition);
            }
        }
    }
    return nullptr;
}

}  // namespace

::Var* equal_column(::Node* condition, const ::Var* column) {
    auto* operation = reinterpret_cast<::OpExpr*>(condition);
    if (!IsA(condition, OpExpr) || ::list_length(operation->args) != 2) {
        return nullptr;
    }
    auto* left = static_cast<::Var*>(linitial(operation->args));
    auto* right = static_cast<::Var*>(lsecond(operation->args));
    if (!IsA(left, Var) || !IsA(right, Var) || left->vartype != right->vartype ||
        left->varcollid != right->varcollid ||
        !is_hash_equality(operation->opno, left->vartype, right->vartype)) {
        return nullptr;
    }
    auto same = [&](const ::Var* var) {
        return var->varlevelsup == 0 && var->varno == column->varno &&
               var->varattno == column->varattno;
    };
    return same(left) ? right : same(right) ? left : nullptr;
}

::List* own_conditions(const ::Query* query, ::Bitmapset* entries) {
    ::List* own = NIL;
    ::List* conditions = conditions_of(query->jointree->quals);
    for (int i = 0; i < ::list_length(conditions); ++i) {
        ::Node* part = implied(static_cast<::Node*>(::list_nth(conditions, i)), entries);
        own = part == nullptr ? own : ::lappend(own, part);
    }
    return own;
}

void add_key_equalities(const QueryLevel& level) {
    ::List* conditions = conditions_of(level.query->jointree->quals);
    ::List* keys = key_columns(level);
    ::List* added = NIL;
    for (int i = 0; i < ::list_length(keys); ++i) {
        for (int j = i + 1; j < ::list_length(keys); ++j) {
            auto* one = static_cast<::Var*>(::list_nth(keys, i));
            auto* other = static_cast<::Var*>(::list_nth(keys, j));
            ::OpExpr* link = link_between(conditions, one, other);
            if (link != nullptr) {
                auto* equality = static_cast<::OpExpr*>(copyObjectImpl(link));
                equality->args = ::list_make2(copyObjectImpl(one), copyObjectImpl(other));
                added = ::lappend(added, equality);
            }
        }
    }
    if (added != NIL) {
        level.query->jointree->quals = all_of(::list_concat(conditions, added));
    }
}

}  // namespace herd::planner
