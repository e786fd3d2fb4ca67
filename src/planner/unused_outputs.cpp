#include "planner/unused_outputs.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteManip.h"
}

namespace herd::planner {

namespace {

struct Reading {
    int level;
    int rti;
    ::Bitmapset* columns;
    bool all;
};

bool find_read(::Node* node, void* argument) {
    auto& reading = *static_cast<Reading*>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Var)) {
        auto* var = reinterpret_cast<::Var*>(node);
        if (static_cast<int>(var->varlevelsup) == reading.level && var->varno == reading.rti) {
            reading.all = reading.all || var->varattno <= 0;
            if (var->varattno > 0) {
                reading.columns = ::bms_add_member(reading.columns, var->varattno);
            }
        }
        return false;
    }
    if (IsA(node, Query)) {
        ++reading.level;
        (void)pg::compat::walk_query(reinterpret_cast<::Query*>(node), find_read, argument, 0);
        --reading.level;
        return false;
    }
    return pg::compat::walk_expression(node, find_read, argument);
}

bool may_be_left_out(const ::TargetEntry* entry) {
    auto* expression = reinterpret_cast<::Node*>(entry->expr);
    return !entry->resjunk && entry->ressortgroupref == 0 && ::checkExprHasSubLink(expression) &&
           !::expression_returns_set(expression) && !::contain_volatile_functions(expression);
}

void drop_outputs(::Query* outer, int rti, ::Query* subquery) {
    Reading reading = {0, rti, nullptr, false};
    (void)pg::compat::walk_query(outer, find_read, &reading, 0);
    for (int i = 0; i < ::list_length(subquery->targetList) && !reading.all; ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(subquery->targetList, i));
        if (may_be_left_out(entry) && !::bms_is_member(entry->resno, reading.columns)) {
            auto* expression = reinterpret_cast<::Node*>(entry->expr);
            entry->expr = reinterpret_cast<::Expr*>(::makeNullConst(
                ::exprType(expression), ::exprTypmod(expression), ::exprCollation(expression)));
        }
    }
}

bool visit(::Node* node, void*) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Query)) {
        drop_unused_outputs(reinterpret_cast<::Query*>(node));
        return false;
    }
    return pg::compat::walk_expression(node, visit, nullptr);
}

}  // namespace

void drop_unused_outputs(::Query* query) {
    // The branches of a UNION are read as a whole.
    for (int i = 0; i < ::list_length(query->rtable) && query->setOperations == nullptr; ++i) {
        auto* rte = static_cast<::RangeTblEntry*>(::list_nth(query->rtable, i));
        if (rte->rtekind == RTE_SUBQUERY && rte->subquery->setOperations == nullptr) {
            drop_outputs(query, i + 1, rte->subquery);
        }
    }
    (void)pg::compat::walk_query(query, visit, nullptr, 0);
}

}  // namespace herd::planner
