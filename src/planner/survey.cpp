#include "planner/survey.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "parser/parsetree.h"
}

namespace herd::planner {

namespace {

struct Context {
    const catalog::Catalog* herd;
    Survey* survey;
    bool top;
};

bool visit(::Node* node, void* argument);

void visit_query(Context& context, ::Query* query) {
    bool top = context.top;
    context.top = false;
    if (query->commandType != CMD_SELECT && query->commandType != CMD_UTILITY &&
        query->resultRelation > 0) {
        ::RangeTblEntry* target = rt_fetch(query->resultRelation, query->rtable);
        const catalog::Table* table = context.herd->find(target->relid);
        context.survey->modifies_reference =
            context.survey->modifies_reference ||
            (table != nullptr && table->kind == TableKind::kReference);
        if (table != nullptr && top) {
            context.survey->target = table;
        } else if (!top && table != nullptr) {
            context.survey->modifies_in_cte = true;
        }
    }
    (void)pg::compat::walk_query(query, visit, &context, QTW_EXAMINE_RTES_BEFORE);
}

bool visit(::Node* node, void* argument) {
    auto& context = *static_cast<Context*>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        auto* rte = reinterpret_cast<::RangeTblEntry*>(node);
        if (rte->rtekind == RTE_RELATION) {
            const catalog::Table* table = context.herd->find(rte->relid);
            if (table != nullptr && table->kind == TableKind::kDistributed) {
                context.survey->distributed = true;
                context.survey->remote_rows =
                    context.survey->remote_rows || !table->group->all_here;
            }
        }
        return false;
    }
    if (IsA(node, Query)) {
        visit_query(context, reinterpret_cast<::Query*>(node));
        return false;
    }
    return pg::compat::walk_expression(node, visit, argument);
}

}  // namespace

Survey survey(const catalog::Catalog& herd, ::Query* query) {
    Survey result;
    Context context = {&herd, &result, true};
    visit_query(context, query);
    return result;
}

}  // namespace herd::planner
