#include "executor/remote_plan.hpp"

#include <unordered_set>

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/value.h"
}

namespace herd::executor {

namespace {

::List* add_number(::List* list, uint64 number) {
    return ::lappend(list, ::makeString(::psprintf(UINT64_FORMAT, number)));
}

uint64 number_at(const ::List* list, int position) {
    return ::strtoull(strVal(::list_nth(list, position)), nullptr, 10);
}

}  // namespace

uint64 new_plan_id() {
    static uint64 last = 0;
    return ++last;
}

// A text that is run once is sent as it is; from the second time on the nodes keep it prepared.
uint64 number_if_repeated(uint64 plan_id) {
    static auto& runs = *new std::unordered_set<uint64>;
    constexpr std::size_t kMostRemembered = 10'000;
    if (plan_id == 0) {
        return 0;
    }
    if (runs.size() > kMostRemembered) {
        runs.clear();
    }
    return runs.insert(plan_id).second ? 0 : plan_id;
}

::List* to_list(const RemotePlan& plan) {
    ::List* list = ::list_make1(::makeString(plan.text));
    list = add_number(list, plan.plan_id);
    list = add_number(list, static_cast<uint64>(plan.group_id));
    uint64 flags = (plan.routed ? 1U : 0U) | (plan.writes ? 2U : 0U) | (plan.sets_tag ? 4U : 0U) |
                   (plan.binary ? 8U : 0U) | (plan.several ? 16U : 0U) |
                   (plan.counts_rows ? 32U : 0U) | (plan.queues ? 64U : 0U) |
                   (plan.by_keys ? 128U : 0U) | (plan.repeatable ? 256U : 0U);
    list = add_number(list, flags);
    list = add_number(list, plan.key_type);
    list = add_number(list, plan.key_collation);
    list = add_number(list, plan.role);
    list = ::lappend(list, plan.sort);
    return ::lappend(list, plan.relations);
}

RemotePlan from_list(const ::List* list) {
    RemotePlan plan;
    plan.text = strVal(linitial(list));
    plan.plan_id = number_at(list, 1);
    plan.group_id = static_cast<int32>(number_at(list, 2));
    uint64 flags = number_at(list, 3);
    plan.routed = (flags & 1U) != 0;
    plan.writes = (flags & 2U) != 0;
    plan.sets_tag = (flags & 4U) != 0;
    plan.binary = (flags & 8U) != 0;
    plan.several = (flags & 16U) != 0;
    plan.counts_rows = (flags & 32U) != 0;
    plan.queues = (flags & 64U) != 0;
    plan.by_keys = (flags & 128U) != 0;
    plan.repeatable = (flags & 256U) != 0;
    plan.key_type = static_cast<Oid>(number_at(list, 4));
    plan.key_collation = static_cast<Oid>(number_at(list, 5));
    plan.role = static_cast<Oid>(number_at(list, 6));
    plan.sort = static_cast<::List*>(::list_nth(list, 7));
    plan.relations = static_cast<::List*>(::list_nth(list, 8));
    return plan;
}

::List* expressions_of(const RemotePlan& plan, ::Node* key, ::List* parameters) {
    ::List* expressions = plan.routed || plan.by_keys ? ::list_make1(key) : NIL;
    return ::list_concat(expressions, parameters);
}

}  // namespace herd::executor
