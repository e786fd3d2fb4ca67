#include "planner/remote_groups.hpp"

#include "executor/remote_scan.hpp"
#include "pg/wire_types.hpp"
#include "planner/broadcast.hpp"
#include "planner/deparse.hpp"
#include "planner/halves.hpp"
#include "planner/shippable.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "utils/selfuncs.h"
#include "utils/typcache.h"
}

namespace herd::planner {

namespace {

constexpr double kRoundTripCost = 100;
constexpr double kRowCost = 0.2;

void limit_groups(const RemoteGroups& groups, ::Query* query) {
    if (groups.limit < 0) {
        return;
    }
    query->sortClause = static_cast<::List*>(copyObjectImpl(groups.order));
    query->limitCount = reinterpret_cast<::Node*>(
        ::makeConst(INT8OID, -1, InvalidOid, sizeof(int64),
                    Int64GetDatum(static_cast<int64>(groups.limit)), false, FLOAT8PASSBYVAL));
    query->limitOption = LIMIT_OPTION_COUNT;
}

// SELECT groups, aggregates FROM (the fragment) f WHERE ... GROUP BY groups HAVING ...
::Query* query_of(const RemoteGroups& groups) {
    ::Query* query = query_over(*groups.relation);
    query->hasAggs =
        ::contain_agg_clause(reinterpret_cast<::Node*>(groups.outputs)) || groups.having != nullptr;
    for (int i = 0; i < ::list_length(groups.outputs); ++i) {
        auto* expression = static_cast<::Expr*>(::list_nth(groups.outputs, i));
        auto* moved = reinterpret_cast<::Expr*>(moved_expression(*groups.relation, expression));
        ::TargetEntry* entry = ::makeTargetEntry(moved, static_cast<::AttrNumber>(i + 1),
                                                 ::psprintf("c%d", i + 1), false);
        entry->ressortgroupref = static_cast<::Index>(list_nth_int(groups.numbers, i));
        query->targetList = ::lappend(query->targetList, entry);
    }
    query->groupClause = static_cast<::List*>(copyObjectImpl(groups.groups));
    if (groups.having != nullptr) {
        query->havingQual =
            moved_expression(*groups.relation, reinterpret_cast<::Expr*>(groups.having));
    }
    limit_groups(groups, query);
    return query;
}

// Numbers that no clause of the query's own has.
constexpr int kFirstNumber = 1000000;

// GROUP BY that expression; nullptr where its type has no equality.
::SortGroupClause* grouped_by(const ::Node* expression, int number) {
    ::TypeCacheEntry* type = ::lookup_type_cache(
        ::exprType(expression), TYPECACHE_LT_OPR | TYPECACHE_EQ_OPR | TYPECACHE_HASH_PROC);
    if (!OidIsValid(type->eq_opr)) {
        return nullptr;
    }
    auto* clause = makeNode(SortGroupClause);
    clause->tleSortGroupRef = static_cast<::Index>(number);
    clause->eqop = type->eq_opr;
    clause->sortop = type->lt_opr;
    clause->hashable = OidIsValid(type->hash_proc);
    return clause;
}

double constant_limit(const ::Query* parse) {
    const ::Node* parts[2] = {parse->limitCount, parse->limitOffset};
    if (parts[0] == nullptr || parse->limitOption != LIMIT_OPTION_COUNT) {
        return -1;
    }
    double rows = 0;
    for (const ::Node* part : parts) {
        auto* constant = reinterpret_cast<const ::Const*>(part);
        if (part == nullptr) {
            continue;
        }
        if (!IsA(part, Const) || constant->constisnull || DatumGetInt64(constant->constvalue) < 0) {
            return -1;
        }
        rows += static_cast<double>(DatumGetInt64(constant->constvalue));
    }
    return rows < 1e9 ? rows : -1;
}

// Whether every server puts such values in the same order.
bool sorts_alike(const ::Node* expression) {
    Oid type = ::exprType(expression);
    return type < FirstNormalObjectId && !pg::has_local_value_type(type);
}

// Makes an expression an output with that number, which ORDER BY refers to.
bool number_output(RemoteGroups* groups, ::Node* expression, int number) {
    for (int i = 0; i < ::list_length(groups->outputs); ++i) {
        int known = list_nth_int(groups->numbers, i);
        if ((known == 0 || known == number) && equal(::list_nth(groups->outputs, i), expression)) {
            lfirst_int(list_nth_cell(groups->numbers, i)) = number;
            return true;
        }
    }
    if (!sendable_expression(expression) || !is_shippable(expression) ||
        ::contain_volatile_functions(expression)) {
        return false;
    }
    groups->outputs = ::lappend(groups->outputs, expression);
    groups->numbers = ::lappend_int(groups->numbers, number);
    return true;
}

bool binary_rows(const RemoteGroups& groups) {
    for (int i = 0; i < ::list_length(groups.columns); ++i) {
        auto* column = static_cast<::Node*>(::list_nth(groups.columns, i));
        if (!pg::binary_is_portable(::exprType(column))) {
            return false;
        }
    }
    return true;
}

::Plan* make_plan(::PlannerInfo* root, ::RelOptInfo*, ::CustomPath* path, ::List* tlist, ::List*,
                  ::List*) {
    auto* groups = static_cast<RemoteGroups*>(linitial(path->custom_private));
    ::Query* query = query_of(*groups);
    RemoteText text = deparse(query, groups->partial ? "/*herd partial*/ " : "");
    executor::RemotePlan plan;
    plan.text = text.text;
    plan.plan_id = executor::new_plan_id();
    plan.binary = binary_rows(*groups);
    plan.repeatable = is_repeatable(query);
    ::Node* keys = describe_fragment(*groups->relation, &plan);
    auto* scan = makeNode(CustomScan);
    scan->scan.plan.targetlist = tlist;
    scan->scan.plan.qual = groups->filter;
    for (int i = 0; i < ::list_length(groups->columns); ++i) {
        scan->custom_scan_tlist = ::lappend(
            scan->custom_scan_tlist,
            ::makeTargetEntry(static_cast<::Expr*>(copyObjectImpl(::list_nth(groups->columns, i))),
                              static_cast<::AttrNumber>(i + 1), nullptr, false));
    }
    scan->flags = path->flags;
    scan->methods = executor::remote_scan_methods();
    scan->custom_private = executor::to_list(plan);
    scan->custom_exprs = executor::expressions_of(
        plan, keys, with_arguments(text.parameters, root->simple_rte_array[groups->relation->rti]));
    return &scan->scan.plan;
}

constexpr ::CustomPathMethods kPathMethods = {"HerdRemote", make_plan, nullptr};

}  // namespace

RemoteGroups* new_groups(const Fragment& fragment, ::RelOptInfo* remote) {
    auto* groups = static_cast<RemoteGroups*>(::palloc0(sizeof(RemoteGroups)));
    groups->relation = new_relation(fragment, remote->relid);
    groups->relation->sent = remote->baserestrictinfo;
    groups->limit = -1;
    return groups;
}

::PathTarget* group_target(::PlannerInfo* root, ::Node* having) {
    const ::PathTarget* target = root->upper_targets[UPPERREL_GROUP_AGG];
    ::PathTarget* plain = ::create_empty_pathtarget();
    ::List* others = having == nullptr ? NIL : ::list_make1(having);
    for (int i = 0; i < ::list_length(target->exprs); ++i) {
        auto* expression = static_cast<::Expr*>(::list_nth(target->exprs, i));
        ::Index reference = get_pathtarget_sortgroupref(target, i);
        if (reference == 0 ||
            ::get_sortgroupref_clause_noerr(reference, root->parse->groupClause) == nullptr) {
            others = ::lappend(others, expression);
        } else if (IsA(expression, Const)) {
            return nullptr;
        } else {
            ::add_column_to_pathtarget(plain, expression, reference);
        }
    }
    ::List* parts = ::pull_var_clause(
        reinterpret_cast<::Node*>(others),
        PVC_INCLUDE_AGGREGATES | PVC_RECURSE_WINDOWFUNCS | PVC_INCLUDE_PLACEHOLDERS);
    for (int i = 0; i < ::list_length(parts); ++i) {
        auto* part = static_cast<::Expr*>(::list_nth(parts, i));
        if (list_member(plain->exprs, part)) {
            continue;
        }
        if (!IsA(part, Aggref) && !IsA(part, Var)) {
            return nullptr;
        }
        ::add_column_to_pathtarget(plain, part, 0);
    }
    return plain->exprs == NIL ? nullptr : plain;
}

bool set_outputs(RemoteGroups* groups, ::List* expressions, const ::PathTarget* target,
                 ::List* clauses) {
    groups->outputs = expressions;
    groups->columns = expressions;
    for (int i = 0; i < ::list_length(expressions); ++i) {
        auto* expression = static_cast<::Node*>(::list_nth(expressions, i));
        if (IsA(expression, Aggref)) {
            groups->numbers = ::lappend_int(groups->numbers, 0);
            continue;
        }
        if (!::contain_var_clause(expression)) {
            return false;  // what is the same for all rows is a parameter of the text
        }
        ::Index reference = get_pathtarget_sortgroupref(target, i);
        ::SortGroupClause* clause =
            reference == 0 ? nullptr : ::get_sortgroupref_clause_noerr(reference, clauses);
        if (clause == nullptr) {
            int number = reference != 0 ? static_cast<int>(reference) : kFirstNumber + i;
            clause = grouped_by(expression, number);
        }
        if (clause == nullptr) {
            return false;
        }
        groups->groups = ::lappend(groups->groups, clause);
        groups->numbers = ::lappend_int(groups->numbers, static_cast<int>(clause->tleSortGroupRef));
    }
    return true;
}

double estimate_groups(::PlannerInfo* root, const ::RelOptInfo* input) {
    ::List* clauses = root->parse->groupClause;
    return clauses == NIL ? 1
                          : ::estimate_num_groups(
                                root, ::get_sortgrouplist_exprs(clauses, root->processed_tlist),
                                input->rows, nullptr, nullptr);
}

bool push_limit(::PlannerInfo* root, RemoteGroups* groups, ::AppendRelInfo* remote_info) {
    const ::Query* parse = root->parse;
    double limit = constant_limit(parse);
    if (limit < 0 || parse->hasWindowFuncs || parse->hasTargetSRFs || groups->filter != NIL) {
        return false;
    }
    RemoteGroups limited = *groups;
    limited.outputs = ::list_copy(groups->outputs);
    limited.numbers = ::list_copy(groups->numbers);
    for (int i = 0; i < ::list_length(parse->sortClause); ++i) {
        auto* clause = static_cast<::SortGroupClause*>(::list_nth(parse->sortClause, i));
        ::TargetEntry* entry = ::get_sortgroupclause_tle(clause, root->processed_tlist);
        auto* key =
            static_cast<::Node*>(linitial(translate(root, ::list_make1(entry->expr), remote_info)));
        if (!sorts_alike(key) ||
            !number_output(&limited, key, static_cast<int>(clause->tleSortGroupRef))) {
            return false;
        }
    }
    limited.columns =
        ::list_concat(::list_copy(groups->columns),
                      ::list_copy_tail(limited.outputs, ::list_length(groups->outputs)));
    limited.order = parse->sortClause;
    limited.limit = limit;
    *groups = limited;
    return true;
}

::Path* remote_groups_path(::RelOptInfo* rel, RemoteGroups* groups, ::PathTarget* target,
                           double rows) {
    auto* path = makeNode(CustomPath);
    path->path.pathtype = T_CustomScan;
    path->path.parent = rel;
    path->path.pathtarget = target;
    path->path.rows =
        ::clamp_row_est(groups->limit >= 0 && groups->limit < rows ? groups->limit : rows);
    path->path.startup_cost = kRoundTripCost;
    path->path.total_cost = kRoundTripCost + kRowCost * path->path.rows;
    path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
    path->custom_private = ::list_make1(groups);
    path->methods = &kPathMethods;
    return &path->path;
}

}  // namespace herd::planner
