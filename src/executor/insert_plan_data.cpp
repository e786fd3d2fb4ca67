#include "executor/insert_plan_data.hpp"

#include <cstdlib>

extern "C" {
#include "nodes/value.h"
}

namespace herd::executor {

namespace {

::String* text_or_nothing(char* text) {
    return ::makeString(text == nullptr ? ::pstrdup("") : text);
}

char* text_of(const ::List* list, int index) {
    char* text = strVal(::list_nth(list, index));
    return *text == '\0' ? nullptr : text;
}

}  // namespace

::List* to_list(const InsertPlan& plan) {
    ::List* list = ::list_make4(::makeString(plan.head), ::makeString(plan.tail),
                                ::makeString(plan.table), plan.columns);
    list = ::lappend(list, plan.column_names);
    list = ::lappend(list, plan.casts);
    list = ::lappend(list, plan.types);
    list = ::lappend(list, text_or_nothing(plan.again));
    list = ::lappend(list, text_or_nothing(plan.copy));
    list = ::lappend(list, text_or_nothing(plan.fields));
    list = ::lappend(list, ::makeString(::psprintf("%lld", static_cast<long long>(plan.epoch))));
    ::List* numbers = ::list_make4_int(plan.group_id, plan.key, static_cast<int>(plan.key_type),
                                       static_cast<int>(plan.key_collation));
    numbers = ::lappend_int(numbers, plan.sets_tag ? 1 : 0);
    numbers = ::lappend_int(numbers, plan.binary ? 1 : 0);
    numbers = ::lappend_int(numbers, static_cast<int>(plan.role));
    numbers = ::lappend_int(numbers, plan.several ? 1 : 0);
    numbers = ::lappend_int(numbers, static_cast<int>(plan.keeps));
    numbers = ::lappend_int(numbers, static_cast<int>(plan.relid));
    numbers = ::lappend_int(numbers, plan.plan_id);
    return ::lappend(list, numbers);
}

InsertPlan insert_plan_from(const ::List* list) {
    InsertPlan plan;
    plan.head = strVal(linitial(list));
    plan.tail = strVal(lsecond(list));
    plan.table = strVal(lthird(list));
    plan.columns = static_cast<::List*>(lfourth(list));
    plan.column_names = static_cast<::List*>(::list_nth(list, 4));
    plan.casts = static_cast<::List*>(::list_nth(list, 5));
    plan.types = static_cast<::List*>(::list_nth(list, 6));
    plan.again = text_of(list, 7);
    plan.copy = text_of(list, 8);
    plan.fields = text_of(list, 9);
    plan.epoch = std::strtoll(strVal(::list_nth(list, 10)), nullptr, 10);
    auto* numbers = static_cast<::List*>(::list_nth(list, 11));
    plan.group_id = list_nth_int(numbers, 0);
    plan.key = static_cast<::AttrNumber>(list_nth_int(numbers, 1));
    plan.key_type = static_cast<Oid>(list_nth_int(numbers, 2));
    plan.key_collation = static_cast<Oid>(list_nth_int(numbers, 3));
    plan.sets_tag = list_nth_int(numbers, 4) != 0;
    plan.binary = list_nth_int(numbers, 5) != 0;
    plan.role = static_cast<Oid>(list_nth_int(numbers, 6));
    plan.several = list_nth_int(numbers, 7) != 0;
    plan.keeps = list_nth_int(numbers, 8);
    plan.relid = static_cast<Oid>(list_nth_int(numbers, 9));
    plan.plan_id = list_nth_int(numbers, 10);
    return plan;
}

}  // namespace herd::executor
