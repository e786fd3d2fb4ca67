#include "executor/remote_plan.hpp"

#include <unordered_set>

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/value.h"
}

namespace herd::executor {

namespace {

// Positions in the list of numbers.
enum Number { kPlanIdHigh, kPlanIdLow, kGroup, kFlags, kKeyType, kKeyCollation, kRole };

uint32 number_at(const ::List* numbers, Number position) {
    return static_cast<uint32>(list_nth_int(numbers, position));
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
    uint32 flags = (plan.routed ? 1U : 0U) | (plan.writes ? 2U : 0U) | (plan.sets_tag ? 4U : 0U) |
                   (plan.binary ? 8U : 0U) | (plan.several ? 16U : 0U) |
                   (plan.counts_rows ? 32U : 0U) | (plan.queues ? 64U : 0U) |
                   (plan.by_keys ? 128U : 0U) | (plan.repeatable ? 256U : 0U) |
                   (plan.few_rows ? 512U : 0U);
    ::List* numbers = NIL;
    for (uint32 number : {static_cast<uint32>(plan.plan_id >> 32U),
                          static_cast<uint32>(plan.plan_id), static_cast<uint32>(plan.group_id),
                          flags, plan.key_type, plan.key_collation, plan.role}) {
        numbers = ::lappend_int(numbers, static_cast<int>(number));
    }
    return ::list_make4(::makeString(plan.text), numbers, plan.sort, plan.relations);
}

RemotePlan from_list(const ::List* list) {
    RemotePlan plan;
    plan.text = strVal(linitial(list));
    auto* numbers = static_cast<const ::List*>(lsecond(list));
    plan.plan_id = static_cast<uint64>(number_at(numbers, kPlanIdHigh)) << 32U |
                   number_at(numbers, kPlanIdLow);
    plan.group_id = static_cast<int32>(number_at(numbers, kGroup));
    uint32 flags = number_at(numbers, kFlags);
    plan.routed = (flags & 1U) != 0;
    plan.writes = (flags & 2U) != 0;
    plan.sets_tag = (flags & 4U) != 0;
    plan.binary = (flags & 8U) != 0;
    plan.several = (flags & 16U) != 0;
    plan.counts_rows = (flags & 32U) != 0;
    plan.queues = (flags & 64U) != 0;
    plan.by_keys = (flags & 128U) != 0;
    plan.repeatable = (flags & 256U) != 0;
    plan.few_rows = (flags & 512U) != 0;
    plan.key_type = number_at(numbers, kKeyType);
    plan.key_collation = number_at(numbers, kKeyCollation);
    plan.role = number_at(numbers, kRole);
    plan.sort = static_cast<::List*>(lthird(list));
    plan.relations = static_cast<::List*>(lfourth(list));
    return plan;
}

::List* expressions_of(const RemotePlan& plan, ::Node* key, ::List* parameters) {
    ::List* expressions = plan.routed || plan.by_keys ? ::list_make1(key) : NIL;
    return ::list_concat(expressions, parameters);
}

}  // namespace herd::executor
