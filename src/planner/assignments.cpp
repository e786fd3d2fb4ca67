#include "planner/assignments.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
}

namespace herd::planner {

namespace {

bool is_part(const ::Node* node) {
    return node != nullptr &&
           (IsA(node, FieldStore) ||
            (IsA(node, SubscriptingRef) &&
             reinterpret_cast<const ::SubscriptingRef*>(node)->refassgnexpr != nullptr));
}

bool find_part(::Node* node, void* context) {
    return node != nullptr &&
           (is_part(node) || pg::compat::walk_expression(node, find_part, context));
}

// Assignments to one field each, in front of `parts`.
::List* split_fields(const ::FieldStore* store, ::List* parts) {
    ::List* fields = NIL;
    for (int i = 0; i < ::list_length(store->newvals); ++i) {
        auto* field = makeNode(FieldStore);
        *field = *store;
        field->newvals = ::list_make1(::list_nth(store->newvals, i));
        field->fieldnums = ::list_make1_int(list_nth_int(store->fieldnums, i));
        fields = ::lappend(fields, field);
    }
    return ::list_concat(fields, parts);
}

// The parts that an expression assigns one over the other, the first one first; they have no
// column below them yet, which goes to `column`.
::List* parts_of(::Node* node, ::Expr** column) {
    ::List* parts = NIL;
    while (is_part(node)) {
        if (IsA(node, FieldStore)) {
            auto* store = reinterpret_cast<::FieldStore*>(node);
            parts = split_fields(store, parts);
            node = reinterpret_cast<::Node*>(store->arg);
        } else {
            auto* element = makeNode(SubscriptingRef);
            *element = *reinterpret_cast<::SubscriptingRef*>(node);
            node = reinterpret_cast<::Node*>(element->refexpr);
            parts = ::lcons(element, parts);
        }
    }
    *column = reinterpret_cast<::Expr*>(node);
    return parts;
}

void append_parts(const ::TargetEntry* entry, ::List** list) {
    auto* domain = reinterpret_cast<::CoerceToDomain*>(entry->expr);
    bool in_domain = IsA(domain, CoerceToDomain) && is_part(reinterpret_cast<::Node*>(domain->arg));
    ::Expr* column = nullptr;
    ::List* parts =
        parts_of(reinterpret_cast<::Node*>(in_domain ? domain->arg : entry->expr), &column);
    for (int i = 0; i < ::list_length(parts); ++i) {
        auto* part = static_cast<::Expr*>(::list_nth(parts, i));
        if (IsA(part, FieldStore)) {
            reinterpret_cast<::FieldStore*>(part)->arg = column;
        } else {
            reinterpret_cast<::SubscriptingRef*>(part)->refexpr = column;
        }
        ::TargetEntry* one = ::flatCopyTargetEntry(const_cast<::TargetEntry*>(entry));
        one->expr = part;
        if (in_domain) {
            auto* coerced = makeNode(CoerceToDomain);
            *coerced = *domain;
            coerced->arg = part;
            one->expr = reinterpret_cast<::Expr*>(coerced);
        }
        *list = ::lappend(*list, one);
    }
    if (parts == NIL) {
        *list = ::lappend(*list, const_cast<::TargetEntry*>(entry));
    }
}

// The number of the column of a subquery that assigns several; in the order of SET.
bool find_column_number(::Node* node, void* number) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Param) && reinterpret_cast<::Param*>(node)->paramkind == PARAM_MULTIEXPR) {
        *static_cast<int*>(number) = reinterpret_cast<::Param*>(node)->paramid;
        return true;
    }
    return pg::compat::walk_expression(node, find_column_number, number);
}

int column_number(const ::ListCell* cell) {
    int number = 0;
    auto* entry = static_cast<::TargetEntry*>(lfirst(cell));
    (void)find_column_number(reinterpret_cast<::Node*>(entry->expr), &number);
    return number;
}

int by_column_number(const ::ListCell* one, const ::ListCell* other) {
    return column_number(one) - column_number(other);
}

::List* restored(const ::List* target_list) {
    ::List* single = NIL;
    ::List* grouped = NIL;
    ::List* junk = NIL;
    for (int i = 0; i < ::list_length(target_list); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(target_list, i));
        if (entry->resjunk) {
            junk = ::lappend(junk, entry);
            continue;
        }
        ::List* parts = NIL;
        append_parts(entry, &parts);
        for (int p = 0; p < ::list_length(parts); ++p) {
            ::List** group = column_number(::list_nth_cell(parts, p)) == 0 ? &single : &grouped;
            *group = ::lappend(*group, ::list_nth(parts, p));
        }
    }
    ::list_sort(grouped, by_column_number);
    return ::list_concat(::list_concat(single, grouped), junk);
}

}  // namespace

bool assigns_parts(const ::List* target_list) {
    return find_part(reinterpret_cast<::Node*>(const_cast<::List*>(target_list)), nullptr);
}

void restore_assignments(::Query* query) {
    if (query->commandType == CMD_UPDATE) {
        query->targetList = restored(query->targetList);
    }
    for (int i = 0; i < ::list_length(query->mergeActionList); ++i) {
        auto* action = static_cast<::MergeAction*>(::list_nth(query->mergeActionList, i));
        if (action->commandType == CMD_UPDATE) {
            action->targetList = restored(action->targetList);
        }
    }
    if (query->onConflict != nullptr) {
        query->onConflict->onConflictSet = restored(query->onConflict->onConflictSet);
    }
}

}  // namespace herd::planner
