#include "planner/insert_copy.hpp"

#include "pg/guard.hpp"
#include "pg/wire_types.hpp"

extern "C" {
#include "lib/stringinfo.h"
#include "parser/parsetree.h"
#include "rewrite/prs2lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace herd::planner {

namespace {

bool has_insert_rule(::Relation target) {
    for (int i = 0; target->rd_rules != nullptr && i < target->rd_rules->numLocks; ++i) {
        if (target->rd_rules->rules[i]->event == CMD_INSERT) {
            return true;
        }
    }
    return false;
}

// Whoever COPY runs as is who triggers run as: that can't be the user while the rights are those of
// a view's owner.
bool has_other_rights(const ::Query* insert) {
    return OidIsValid(rt_fetch(insert->resultRelation, insert->rtable)->checkAsUser);
}

bool is_plain(const ::Query* insert, ::Relation target, const executor::InsertPlan& plan) {
    return !has_other_rights(insert) && insert->onConflict == nullptr &&
           insert->returningList == NIL && plan.keeps == 0 && !plan.checked &&
           !target->rd_rel->relrowsecurity && !has_insert_rule(target);
}

bool all_travel(const ::List* types) {
    for (int i = 0; i < ::list_length(types); ++i) {
        if (!pg::binary_is_stored(list_nth_oid(types, i))) {
            return false;
        }
    }
    return types != NIL;
}

}  // namespace

char* copy_instead(const ::Query* insert, ::Relation target, const executor::InsertPlan& plan) {
    if (!is_plain(insert, target, plan) || !all_travel(plan.types)) {
        return nullptr;
    }
    ::StringInfoData text;
    ::initStringInfo(&text);
    ::appendStringInfo(
        &text, "COPY %s (",
        ::quote_qualified_identifier(::get_namespace_name(RelationGetNamespace(target)),
                                     RelationGetRelationName(target)));
    for (int i = 0; i < ::list_length(plan.column_names); ++i) {
        ::appendStringInfo(&text, "%s%s", i == 0 ? "" : ", ",
                           strVal(::list_nth(plan.column_names, i)));
    }
    ::appendStringInfoString(&text, ") FROM STDIN WITH (FORMAT binary)");
    return text.data;
}

}  // namespace herd::planner
