#include "executor/modify_plan_data.hpp"

namespace herd::executor {

::List* to_list(const ModifyPlan& plan) {
    ::List* numbers = ::list_make5_int(static_cast<int>(plan.relid), plan.group_id,
                                       static_cast<int>(plan.role), plan.action, plan.node);
    numbers = ::lappend_int(numbers, plan.table);
    numbers = ::lappend_int(numbers, plan.row);
    numbers = ::lappend_int(numbers, plan.key);
    numbers = ::lappend_int(numbers, static_cast<int>(plan.key_collation));
    numbers = ::lappend_int(numbers, (plan.sets_tag ? 1 : 0) | (plan.returns ? 2 : 0) |
                                         (plan.only_once ? 4 : 0) | (plan.suppresses ? 8 : 0) |
                                         (plan.by_row ? 16 : 0) | (plan.checked ? 32 : 0));
    ::List* actions = NIL;
    for (int i = 0; i < ::list_length(plan.actions); ++i) {
        auto* action = static_cast<ModifyAction*>(::list_nth(plan.actions, i));
        actions = ::lappend(actions, ::list_make3(::list_make3_int(action->command, action->moved,
                                                                   action->moves_all ? 1 : 0),
                                                  action->columns, action->sources));
    }
    ::List* list = ::list_make3(numbers, actions, plan.identity);
    list = ::lappend(list, plan.identity_sources);
    list = ::lappend(list, plan.results);
    return ::lappend(list, plan.result_sources);
}

ModifyPlan modify_plan_from_list(const ::List* list) {
    auto* numbers = static_cast<::List*>(linitial(list));
    ModifyPlan plan;
    plan.relid = static_cast<Oid>(list_nth_int(numbers, 0));
    plan.group_id = list_nth_int(numbers, 1);
    plan.role = static_cast<Oid>(list_nth_int(numbers, 2));
    plan.action = static_cast<::AttrNumber>(list_nth_int(numbers, 3));
    plan.node = static_cast<::AttrNumber>(list_nth_int(numbers, 4));
    plan.table = static_cast<::AttrNumber>(list_nth_int(numbers, 5));
    plan.row = static_cast<::AttrNumber>(list_nth_int(numbers, 6));
    plan.key = static_cast<::AttrNumber>(list_nth_int(numbers, 7));
    plan.key_collation = static_cast<Oid>(list_nth_int(numbers, 8));
    int flags = list_nth_int(numbers, 9);
    plan.sets_tag = (flags & 1) != 0;
    plan.returns = (flags & 2) != 0;
    plan.only_once = (flags & 4) != 0;
    plan.suppresses = (flags & 8) != 0;
    plan.by_row = (flags & 16) != 0;
    plan.checked = (flags & 32) != 0;
    auto* actions = static_cast<::List*>(lsecond(list));
    for (int i = 0; i < ::list_length(actions); ++i) {
        auto* parts = static_cast<::List*>(::list_nth(actions, i));
        auto* action = static_cast<ModifyAction*>(::palloc0(sizeof(ModifyAction)));
        auto* kind = static_cast<::List*>(linitial(parts));
        action->command = static_cast<::CmdType>(linitial_int(kind));
        action->moved = lsecond_int(kind);
        action->moves_all = lthird_int(kind) != 0;
        action->columns = static_cast<::List*>(lsecond(parts));
        action->sources = static_cast<::List*>(lthird(parts));
        plan.actions = ::lappend(plan.actions, action);
    }
    plan.identity = static_cast<::List*>(lthird(list));
    plan.identity_sources = static_cast<::List*>(lfourth(list));
    plan.results = static_cast<::List*>(::list_nth(list, 4));
    plan.result_sources = static_cast<::List*>(::list_nth(list, 5));
    return plan;
}

}  // namespace herd::executor
