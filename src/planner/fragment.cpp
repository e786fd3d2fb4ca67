#include "planner/fragment.hpp"

#include <cstring>
#include <utility>

#include "pg/compat.hpp"
#include "pg/plan_settings.hpp"
#include "pg/wire_types.hpp"
#include "planner/broadcast.hpp"
#include "planner/cursor_plan.hpp"
#include "planner/estimate.hpp"
#include "planner/fragment_parts.hpp"
#include "planner/function_rules.hpp"
#include "planner/modify_query.hpp"
#include "planner/row_places.hpp"
#include "planner/shippable.hpp"
#include "planner/side_by_side.hpp"
#include "planner/unused_outputs.hpp"

extern "C" {
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "parser/parse_func.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace herd::planner {

namespace {

// The statement that is being planned; nested planning (of functions) keeps its own.
const Rewrite* current = nullptr;
bool part_of_larger = false;

// Whether every node can apply the table's policies by itself: its own columns, settings, reference
// tables. Others are applied here, to rows that the nodes deliver without theirs.
bool reads_own_rows(::Node* node, void* argument) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        auto* rte = reinterpret_cast<::RangeTblEntry*>(node);
        const catalog::Table* table =
            static_cast<const catalog::Catalog*>(argument)->find(rte->relid);
        return rte->rtekind == RTE_RELATION && rte->relkind != RELKIND_VIEW &&
               (table == nullptr || table->kind != TableKind::kReference);
    }
    if (IsA(node, Query)) {
        return pg::compat::walk_query(reinterpret_cast<::Query*>(node), reads_own_rows, argument,
                                      QTW_EXAMINE_RTES_BEFORE);
    }
    return pg::compat::walk_expression(node, reads_own_rows, argument);
}

// The planner counts a relation's columns by their names.
void name_added_columns(::RangeTblEntry* rte, const ::List* outputs) {
    rte->eref = static_cast<::Alias*>(copyObjectImpl(rte->eref));
    for (int i = ::list_length(rte->eref->colnames); i < ::list_length(outputs); ++i) {
        const char* name = static_cast<Output*>(::list_nth(outputs, i))->name;
        rte->eref->colnames = ::lappend(rte->eref->colnames, ::makeString(::pstrdup(name)));
    }
}

void become_subquery(::RangeTblEntry* rte, ::Query* subquery) {
    rte->rtekind = RTE_SUBQUERY;
    rte->subquery = subquery;
    rte->relid = InvalidOid;
    rte->relkind = 0;
    rte->rellockmode = 0;
    rte->tablesample = nullptr;
    rte->inh = false;
    rte->requiredPerms = 0;
    rte->checkAsUser = InvalidOid;
    rte->selectedCols = nullptr;
    rte->lateral = false;
}

bool is_locked(const ::Query* query, ::Index rti) {
    for (int i = 0; i < ::list_length(query->rowMarks); ++i) {
        if (static_cast<::RowMarkClause*>(::list_nth(query->rowMarks, i))->rti == rti) {
            return true;
        }
    }
    return false;
}

// Turns a range table entry of a distributed table into its remote relation.
void replace_table(Rewrite& rewrite, ::Query* query, ::Index rti, const catalog::Table& table) {
    ::RangeTblEntry* rte = rt_fetch(rti, query->rtable);
    auto* original = static_cast<::RangeTblEntry*>(copyObjectImpl(rte));
    ::ChangeVarNodes(reinterpret_cast<::Node*>(original->securityQuals), static_cast<int>(rti), 1,
                     0);
    Oid role = original->checkAsUser;
    // What a statement that changes rows reads to lock it has policies of locked rows on the nodes.
    bool policies_here = !nodes_can_apply(*rewrite.herd, rte->securityQuals) ||
                         (rewrite.modifications != NIL && is_locked(query, rti));
    if (policies_here) {
        original->securityQuals = NIL;
        role = BOOTSTRAP_SUPERUSERID;
    }
    ::Query* base = select_from(original);
    base->hasRowSecurity = query->hasRowSecurity;
    base->hasSubLinks = ::checkExprHasSubLink(reinterpret_cast<::Node*>(original->securityQuals));
    move_row_mark(query, rti, base);
    ::Relation relation = ::table_open(original->relid, NoLock);
    ::List* outputs = table_outputs(*rewrite.herd, relation, query, rti);
    Fragment* fragment =
        new_fragment(rewrite, fragment_query(base, outputs), table.group->id.value);
    fragment->role = role;
    fragment->key_collation = table.group->key_collation;
    auto* key = static_cast<Output*>(::list_nth(outputs, table.key_attnum - 1));
    if (key->used) {
        fragment->keys = ::bms_make_singleton(column_of_output(outputs, key->expression));
    }
    fragment->locking = locking_of(base);
    fragment->rows = rows_on_nodes(*rewrite.herd, table);
    fragment->names = ::list_make1(::makeString(::pstrdup(RelationGetRelationName(relation))));
    ::table_close(relation, NoLock);
    ::Query* replaced = replacement(*fragment, base, outputs, table.group->some_here);
    if (!table.group->some_here) {
        rewrite.removed = ::lappend(rewrite.removed, copyObjectImpl(original));
    }
    name_added_columns(rte, outputs);
    become_subquery(rte, replaced);
    rte->securityQuals = policies_here ? rte->securityQuals : NIL;
}

void collect_references(::Node* node, ::Bitmapset** found) {
    if (node == nullptr) {
        return;
    }
    if (IsA(node, RangeTblRef)) {
        *found = ::bms_add_member(*found, reinterpret_cast<::RangeTblRef*>(node)->rtindex);
    } else if (IsA(node, FromExpr)) {
        ::List* items = reinterpret_cast<::FromExpr*>(node)->fromlist;
        for (int i = 0; i < ::list_length(items); ++i) {
            collect_references(static_cast<::Node*>(::list_nth(items, i)), found);
        }
    } else if (IsA(node, JoinExpr)) {
        collect_references(reinterpret_cast<::JoinExpr*>(node)->larg, found);
        collect_references(reinterpret_cast<::JoinExpr*>(node)->rarg, found);
    }
}

bool rewrite_sublinks(::Node* node, void* argument) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Query)) {
        rewrite_into_fragments(*static_cast<Rewrite*>(argument), reinterpret_cast<::Query*>(node));
        return false;
    }
    return pg::compat::walk_expression(node, rewrite_sublinks, argument);
}

// The removed entries stand at the end of the plan's range table: privileges, locks and
// invalidation see them, the executor opens none.
void complete_plan(const Rewrite& rewrite, ::PlannedStmt* statement) {
    for (int i = 0; i < ::list_length(rewrite.removed); ++i) {
        auto* rte = static_cast<::RangeTblEntry*>(::list_nth(rewrite.removed, i));
        rte->securityQuals = NIL;
        rte->tablesample = nullptr;
        statement->rtable = ::lappend(statement->rtable, rte);
        statement->relationOids = ::list_append_unique_oid(statement->relationOids, rte->relid);
    }
}

// What changes or locks rows assigns a transaction id, which workers may not do without.
bool may_use_workers(const Rewrite& rewrite, const ::Query* query) {
    for (int i = 0; i < ::list_length(rewrite.fragments); ++i) {
        auto* fragment = static_cast<Fragment*>(::list_nth(rewrite.fragments, i));
        if (fragment->locking != Locking::kNone) {
            return false;
        }
    }
    return rewrite.modifications == NIL && !may_run_statements(query);
}

const Fragment* fragment_of_call(const ::Node* node) {
    auto* call = reinterpret_cast<const ::FuncExpr*>(node);
    if (call == nullptr || !IsA(call, FuncExpr) || call->funcresulttype != RECORDOID ||
        call->args == NIL || !IsA(linitial(call->args), Const)) {
        return nullptr;
    }
    int id = DatumGetInt32(static_cast<::Const*>(linitial(call->args))->constvalue);
    for (int i = 0; i < ::list_length(current->fragments); ++i) {
        auto* fragment = static_cast<Fragment*>(::list_nth(current->fragments, i));
        if (fragment->id == id && call->funcid == remote_rows_function()) {
            return fragment;
        }
    }
    return nullptr;
}

}  // namespace

bool nodes_can_apply(const catalog::Catalog& herd, const ::List* policies) {
    auto* node = reinterpret_cast<::Node*>(const_cast<::List*>(policies));
    return is_shippable(node) && !reads_own_rows(node, const_cast<catalog::Catalog*>(&herd));
}

void enclose_table(const catalog::Catalog& herd, ::Query* query, ::Index rti) {
    ::RangeTblEntry* rte = rt_fetch(rti, query->rtable);
    auto* original = static_cast<::RangeTblEntry*>(copyObjectImpl(rte));
    ::ChangeVarNodes(reinterpret_cast<::Node*>(original->securityQuals), static_cast<int>(rti), 1,
                     0);
    ::Query* base = select_from(original);
    base->hasRowSecurity = query->hasRowSecurity;
    base->hasSubLinks = ::checkExprHasSubLink(reinterpret_cast<::Node*>(original->securityQuals));
    move_row_mark(query, rti, base);
    ::Relation relation = ::table_open(original->relid, NoLock);
    ::List* outputs = table_outputs(herd, relation, query, rti);
    ::table_close(relation, NoLock);
    name_added_columns(rte, outputs);
    become_subquery(rte, rows_here(base, outputs));
    rte->securityQuals = NIL;
}

void rewrite_into_fragments(Rewrite& rewrite, ::Query* query) {
    if (rewrite.broadcasts == NIL) {
        keep_names_apart(query);
    }
    ::List* joins = pg::fragment_joins_enabled() ? merge_joins(rewrite, query) : NIL;
    // Inner queries next: their correlated columns refer to entries of this one by number.
    (void)pg::compat::walk_query(query, rewrite_sublinks, &rewrite, 0);
    install_joins(query, joins);
    ::Bitmapset* references = nullptr;
    collect_references(reinterpret_cast<::Node*>(query->jointree), &references);
    int rti = -1;
    while ((rti = ::bms_next_member(references, rti)) >= 0) {
        if (rti == query->resultRelation) {
            continue;
        }
        ::RangeTblEntry* rte = rt_fetch(static_cast<::Index>(rti), query->rtable);
        const catalog::Table* table =
            rte->rtekind == RTE_RELATION ? rewrite.herd->find(rte->relid) : nullptr;
        if (table != nullptr && table->kind == TableKind::kDistributed && !table->group->all_here) {
            replace_table(rewrite, query, static_cast<::Index>(rti), *table);
        }
    }
}

::PlannedStmt* plan_rewritten(Rewrite& rewrite, const PlanRequest& request, ::Query* query) {
    const Rewrite* outer = current;
    ::PlannedStmt* statement = nullptr;
    int cursor_options = request.cursor_options;
    if (!may_use_workers(rewrite, query)) {
        cursor_options &= ~CURSOR_OPT_PARALLEL_OK;
    }
    pg::run_finally(
        [&] {
            current = &rewrite;
            statement = request.plain(query, request.text, cursor_options, request.parameters);
        },
        [&] { current = outer; });
    run_side_by_side(statement);
    complete_plan(rewrite, statement);
    return statement;
}

::PlannedStmt* plan_over_fragments(const catalog::Catalog& herd, const PlanRequest& request,
                                   ::List** cursor_tables) {
    refuse_compared_places(herd, request.query);
    if (locks_in_outer_join(reinterpret_cast<::Node*>(request.query), nullptr)) {
        // The planner refuses to lock what an outer join may leave out. It has to see the clause.
        (void)request.plain(static_cast<::Query*>(copyObjectImpl(request.query)), request.text,
                            request.cursor_options, request.parameters);
    }
    auto* query = static_cast<::Query*>(copyObjectImpl(request.query));
    drop_unused_outputs(query);
    if (cursor_tables != nullptr) {
        *cursor_tables = add_row_columns(herd, query);
    }
    Rewrite rewrite = {&herd, NIL, NIL, request.parameters, NIL};
    rewrite_into_fragments(rewrite, query);
    return plan_rewritten(rewrite, request, query);
}

const Fragment* fragment_of(const ::RangeTblEntry* rte) {
    if (current == nullptr || rte->rtekind != RTE_FUNCTION || ::list_length(rte->functions) != 1) {
        return nullptr;
    }
    return fragment_of_call(static_cast<::RangeTblFunction*>(linitial(rte->functions))->funcexpr);
}

const Broadcast* broadcast_of(const ::RangeTblEntry* rte) {
    return current == nullptr ? nullptr : find_broadcast(*current, rte);
}

::Node* support_remote_rows(::Node* request) {
    if (!IsA(request, SupportRequestRows)) {
        return nullptr;
    }
    auto* rows = reinterpret_cast<::SupportRequestRows*>(request);
    const Fragment* fragment = current == nullptr ? nullptr : fragment_of_call(rows->node);
    if (fragment == nullptr) {
        return nullptr;
    }
    rows->rows = fragment->rows;
    return request;
}

const Modification* modification_of(const ::RangeTblEntry* rte) {
    // No query has a subquery like that: they have aliases.
    if (!changes_rows() || rte->rtekind != RTE_SUBQUERY || rte->alias != nullptr || rte->inFromCl) {
        return nullptr;
    }
    for (int i = 0; i < ::list_length(current->modifications); ++i) {
        auto* modification = static_cast<Modification*>(::list_nth(current->modifications, i));
        if (std::strcmp(changes_name(*modification), rte->eref->aliasname) == 0) {
            return modification;
        }
    }
    return nullptr;
}

bool changes_rows() {
    return current != nullptr && current->modifications != NIL;
}

int fragment_count() {
    return current == nullptr ? 0 : ::list_length(current->fragments);
}

bool one_of_several() {
    return part_of_larger || fragment_count() > 1;
}

bool set_part_of_larger(bool part) {
    return std::exchange(part_of_larger, part);
}

}  // namespace herd::planner
