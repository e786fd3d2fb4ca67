#include "planner/cursor_plan.hpp"

#include "executor/cursor_scan.hpp"
#include "pg/compat.hpp"
#include "pg/plan_settings.hpp"
#include "planner/fragment_parts.hpp"

extern "C" {
#include "access/sysattr.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "parser/parsetree.h"
}

namespace herd::planner {

namespace {

// ---- Columns of a cursor's query that say where its rows are ------------------------------------

using executor::CursorTable;

// Whether each row of the query is one row of each of its tables.
bool keeps_rows(const ::Query* query) {
    return query->commandType == CMD_SELECT && query->setOperations == nullptr &&
           query->groupClause == NIL && query->groupingSets == NIL && !query->hasAggs &&
           query->havingQual == nullptr && query->distinctClause == NIL && !query->hasWindowFuncs &&
           !query->hasTargetSRFs;
}

// A subquery that is more than a value for the whole statement. The argument is not used.
bool find_joined(::Node* node, void*) {
    if (node == nullptr || IsA(node, Query)) {
        return false;
    }
    if (IsA(node, SubLink)) {
        auto* link = reinterpret_cast<::SubLink*>(node);
        return (link->subLinkType != EXPR_SUBLINK && link->subLinkType != EXISTS_SUBLINK) ||
               ::contain_vars_of_level(link->subselect, 1);
    }
    return pg::compat::walk_expression(node, find_joined, nullptr);
}

struct WholeRow {
    int rti;
    int level;
};

bool find_whole_row(::Node* node, void* argument) {
    auto& wanted = *static_cast<WholeRow*>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Var)) {
        auto* var = reinterpret_cast<::Var*>(node);
        return var->varattno == 0 && var->varno == wanted.rti &&
               static_cast<int>(var->varlevelsup) == wanted.level;
    }
    if (IsA(node, Query)) {
        ++wanted.level;
        bool found =
            pg::compat::walk_query(reinterpret_cast<::Query*>(node), find_whole_row, argument, 0);
        --wanted.level;
        return found;
    }
    return pg::compat::walk_expression(node, find_whole_row, argument);
}

int visible_columns(const ::Query* query) {
    int visible = 0;
    while (visible < ::list_length(query->targetList) &&
           !static_cast<::TargetEntry*>(::list_nth(query->targetList, visible))->resjunk) {
        ++visible;
    }
    return visible;
}

// Adds a column before those that only sorting reads. Returns its number.
::AttrNumber add_column(::Query* query, ::Node* expression, const char* name) {
    int visible = visible_columns(query);
    auto number = static_cast<::AttrNumber>(visible + 1);
    query->targetList = ::list_insert_nth(
        query->targetList, visible,
        ::makeTargetEntry(reinterpret_cast<::Expr*>(expression), number, ::pstrdup(name), false));
    for (int i = visible + 1; i < ::list_length(query->targetList); ++i) {
        static_cast<::TargetEntry*>(::list_nth(query->targetList, i))->resno =
            static_cast<::AttrNumber>(i + 1);
    }
    return number;
}

::Node* system_var(::Index rti, int column, Oid type) {
    return reinterpret_cast<::Node*>(::makeVar(
        static_cast<int>(rti), static_cast<::AttrNumber>(column), type, -1, InvalidOid, 0));
}

::Node* as_text(::Node* value) {
    auto* text = makeNode(CoerceViaIO);
    text->arg = reinterpret_cast<::Expr*>(value);
    text->resulttype = TEXTOID;
    text->resultcollid = DEFAULT_COLLATION_OID;
    text->coerceformat = COERCE_EXPLICIT_CAST;
    text->location = -1;
    return reinterpret_cast<::Node*>(text);
}

CursorTable* add_columns_of_table(::Query* query, ::Index rti, Oid relid, bool on_one_node) {
    auto* table = static_cast<CursorTable*>(::palloc0(sizeof(CursorTable)));
    table->relid = relid;
    if (!on_one_node) {
        table->node = add_column(query, system_var(rti, kNodeColumn, INT4OID), "herd_node");
        if (::has_subclass(relid)) {
            table->table =
                add_column(query, system_var(rti, TableOidAttributeNumber, OIDOID), "herd_table");
        }
    }
    ::Node* row = system_var(rti, SelfItemPointerAttributeNumber, TIDOID);
    table->row = add_column(query, on_one_node ? as_text(row) : row, "herd_row");
    return table;
}

// A column of a subquery, as one of the query that it stands in. 0 stays 0.
::AttrNumber lift_column(::Query* query, ::Index rti, ::AttrNumber column) {
    if (column == 0) {
        return 0;
    }
    ::RangeTblEntry* rte = rt_fetch(rti, query->rtable);
    auto* entry = static_cast<::TargetEntry*>(::list_nth(rte->subquery->targetList, column - 1));
    auto* var = ::makeVarFromTargetEntry(static_cast<int>(rti), entry);
    return add_column(query, reinterpret_cast<::Node*>(var), entry->resname);
}

bool is_elsewhere(const catalog::Table* table) {
    return table != nullptr && table->kind == TableKind::kDistributed && !table->group->all_here;
}

::List* lift_columns(const catalog::Catalog& herd, ::Query* query, ::Index rti) {
    ::RangeTblEntry* rte = rt_fetch(rti, query->rtable);
    WholeRow whole = {static_cast<int>(rti), 0};
    if (pg::compat::walk_query(query, find_whole_row, &whole, 0)) {
        return NIL;  // its type has no more columns
    }
    ::List* tables = add_row_columns(herd, rte->subquery);
    ::List* names = NIL;
    for (int i = 0; i < ::list_length(rte->subquery->targetList); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(rte->subquery->targetList, i));
        if (!entry->resjunk) {
            bool named = i < ::list_length(rte->eref->colnames);
            names = ::lappend(names, named ? ::list_nth(rte->eref->colnames, i)
                                           : ::makeString(::pstrdup(entry->resname)));
        }
    }
    rte->eref->colnames = names;
    for (int i = 0; i < ::list_length(tables); ++i) {
        auto* table = static_cast<CursorTable*>(::list_nth(tables, i));
        table->node = lift_column(query, rti, table->node);
        table->table = lift_column(query, rti, table->table);
        table->row = lift_column(query, rti, table->row);
    }
    return tables;
}

// The entries whose rows the query's rows are made of: those that it locks, or its only one.
::List* row_entries(const ::Query* query) {
    ::List* entries = NIL;
    for (int i = 0; i < ::list_length(query->rowMarks); ++i) {
        auto* mark = static_cast<::RowMarkClause*>(::list_nth(query->rowMarks, i));
        entries = ::lappend_int(entries, static_cast<int>(mark->rti));
    }
    const ::List* items = query->jointree->fromlist;
    auto* item = ::list_length(items) == 1 ? static_cast<::Node*>(linitial(items)) : nullptr;
    if (entries == NIL && item != nullptr && IsA(item, RangeTblRef)) {
        entries = ::list_make1_int(reinterpret_cast<::RangeTblRef*>(item)->rtindex);
    }
    return keeps_rows(query) ? entries : NIL;
}

// The same for a statement that one node runs whole. False where that node can't say it.
bool add_columns_on_node(const catalog::Catalog& herd, ::Query* query, ::List** tables) {
    ::List* entries = row_entries(query);
    for (int i = 0; i < ::list_length(entries); ++i) {
        auto rti = static_cast<::Index>(list_nth_int(entries, i));
        ::RangeTblEntry* rte = rt_fetch(rti, query->rtable);
        if (rte->rtekind == RTE_SUBQUERY) {
            auto* inner = static_cast<::Query*>(copyObjectImpl(rte->subquery));
            if (add_row_columns(herd, inner) != NIL) {
                return false;
            }
        } else if (rte->rtekind == RTE_RELATION && is_elsewhere(herd.find(rte->relid))) {
            if (::has_subclass(rte->relid)) {
                return false;
            }
            *tables = ::lappend(*tables, add_columns_of_table(query, rti, rte->relid, true));
        }
    }
    return true;
}

::PlannedStmt* plan_on_node(const catalog::Catalog& herd, const PlanRequest& request,
                            ::List** tables) {
    PlanRequest one = request;
    one.query = static_cast<::Query*>(copyObjectImpl(request.query));
    if (!add_columns_on_node(herd, one.query, tables)) {
        return nullptr;
    }
    KeyGraph* graph = build_key_graph(herd, one.query);
    bool may_route = graph->refs != NIL && (pg::route_enabled() || request.query->rowMarks != NIL);
    return may_route ? plan_routed(herd, one, *graph) : nullptr;
}

}  // namespace

::List* add_row_columns(const catalog::Catalog& herd, ::Query* query) {
    ::List* tables = NIL;
    // What is joined, without FOR UPDATE, is no scan of the table; and plans of such queries must
    // not become worse by columns that they can't carry to the nodes.
    bool joined = query->rowMarks == NIL && query->hasSubLinks &&
                  pg::compat::walk_query(query, find_joined, nullptr, 0);
    ::List* entries = joined ? NIL : row_entries(query);
    for (int i = 0; i < ::list_length(entries); ++i) {
        auto rti = static_cast<::Index>(list_nth_int(entries, i));
        ::RangeTblEntry* rte = rt_fetch(rti, query->rtable);
        if (rte->rtekind == RTE_SUBQUERY) {
            tables = ::list_concat(tables, lift_columns(herd, query, rti));
        } else if (rte->rtekind == RTE_RELATION && is_elsewhere(herd.find(rte->relid))) {
            tables = ::lappend(tables, add_columns_of_table(query, rti, rte->relid, false));
        }
    }
    return tables;
}

bool is_cursor(const PlanRequest& request) {
    // Cursors are planned for their first rows: nothing else is.
    return request.query->commandType == CMD_SELECT &&
           (request.cursor_options & CURSOR_OPT_FAST_PLAN) != 0;
}

::PlannedStmt* plan_cursor(const catalog::Catalog& herd, const PlanRequest& request) {
    ::List* tables = NIL;
    ::PlannedStmt* statement = plan_on_node(herd, request, &tables);
    if (statement == nullptr) {
        tables = NIL;
        statement = plan_over_fragments(herd, request, &tables);
    }
    bool locks = request.query->rowMarks != NIL;
    make_scrollable(statement, request.cursor_options);
    if (tables != NIL || locks) {
        executor::wrap_cursor(statement, visible_columns(request.query), tables, locks);
    }
    return statement;
}

void make_scrollable(::PlannedStmt* statement, int cursor_options) {
    if ((cursor_options & CURSOR_OPT_SCROLL) != 0 && statement->commandType == CMD_SELECT &&
        !::ExecSupportsBackwardScan(statement->planTree)) {
        statement->planTree = ::materialize_finished_plan(statement->planTree);
    }
}

}  // namespace herd::planner
