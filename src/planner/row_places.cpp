#include "planner/row_places.hpp"

#include "pg/compat.hpp"
#include "planner/statement_plan.hpp"

extern "C" {
#include "access/sysattr.h"
#include "parser/parsetree.h"
}

namespace herd::planner {

namespace {

struct Context {
    const catalog::Catalog* herd;
    ::List* levels;  // of Query*, the innermost first
};

bool is_place(const Context& context, const ::Var* var) {
    if (var->varattno != SelfItemPointerAttributeNumber ||
        static_cast<int>(var->varlevelsup) >= ::list_length(context.levels)) {
        return false;
    }
    auto* level =
        static_cast<::Query*>(::list_nth(context.levels, static_cast<int>(var->varlevelsup)));
    ::RangeTblEntry* rte = rt_fetch(var->varno, level->rtable);
    const catalog::Table* table =
        rte->rtekind == RTE_RELATION ? context.herd->find(rte->relid) : nullptr;
    return table != nullptr && table->kind == TableKind::kDistributed && !table->group->all_here;
}

bool visit(::Node* node, void* argument) {
    auto& context = *static_cast<Context*>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Var) && is_place(context, reinterpret_cast<::Var*>(node))) {
        refuse_statement("computing with ctids over several nodes",
                         "rows of different nodes have the same ctid",
                         "Use the primary key, or fix the statement to one distribution key.");
    }
    if (IsA(node, Query)) {
        context.levels = ::lcons(node, context.levels);
        (void)pg::compat::walk_query(reinterpret_cast<::Query*>(node), visit, argument, 0);
        context.levels = ::list_delete_first(context.levels);
        return false;
    }
    return pg::compat::walk_expression(node, visit, argument);
}

// The target list without what is only shown.
::List* used_entries(::List* target_list) {
    ::List* used = NIL;
    for (int i = 0; i < ::list_length(target_list); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(target_list, i));
        if (entry->ressortgroupref != 0 || !IsA(entry->expr, Var)) {
            used = ::lappend(used, entry);
        }
    }
    return used;
}

}  // namespace

void refuse_compared_places(const catalog::Catalog& herd, ::Query* query) {
    Context context = {&herd, ::list_make1(query)};
    ::List* shown = query->targetList;
    query->targetList = used_entries(shown);
    // An error leaves the query behind: it is not used again.
    (void)pg::compat::walk_query(query, visit, &context, 0);
    query->targetList = shown;
}

}  // namespace herd::planner
