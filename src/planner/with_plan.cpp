#include "planner/with_plan.hpp"

#include <cstring>

#include "executor/with_scan.hpp"
#include "pg/compat.hpp"
#include "pg/guard.hpp"
#include "planner/fragment.hpp"
#include "planner/planner_hook.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
}

namespace herd::planner {

namespace {

// A query of WITH that runs first.
struct Stored {
    ::CommonTableExpr* cte;
    char* tuplestore;  // nullptr: it returns no rows
    double rows;
};

struct References {
    ::Index level;   // of WITH's query, seen from the query that is visited
    ::List* stored;  // of Stored*: references to these are replaced
    ::List* names;   // of String: WITH queries that are referred to
};

bool visit_references(::Node* node, void* argument);

Stored* find_stored(const ::List* stored, const char* name) {
    for (int i = 0; i < ::list_length(stored); ++i) {
        auto* entry = static_cast<Stored*>(::list_nth(stored, i));
        if (std::strcmp(entry->cte->ctename, name) == 0) {
            return entry;
        }
    }
    return nullptr;
}

void read_from_tuplestore(::RangeTblEntry* rte, const Stored& stored) {
    rte->rtekind = RTE_NAMEDTUPLESTORE;
    rte->enrname = stored.tuplestore;
    rte->enrtuples = stored.rows;
    rte->ctename = nullptr;
    rte->ctelevelsup = 0;
    rte->self_reference = false;
}

void visit_entry(References& references, ::RangeTblEntry* rte) {
    if (rte->rtekind != RTE_CTE || rte->ctelevelsup != references.level) {
        return;
    }
    Stored* stored = find_stored(references.stored, rte->ctename);
    if (stored != nullptr && stored->tuplestore != nullptr) {
        read_from_tuplestore(rte, *stored);
    } else {
        references.names = ::lappend(references.names, ::makeString(rte->ctename));
    }
}

bool visit_references(::Node* node, void* argument) {
    auto& references = *static_cast<References*>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        visit_entry(references, reinterpret_cast<::RangeTblEntry*>(node));
        return false;
    }
    if (IsA(node, Query)) {
        ++references.level;
        (void)pg::compat::walk_query(reinterpret_cast<::Query*>(node), visit_references, argument,
                                     QTW_EXAMINE_RTES_BEFORE);
        --references.level;
        return false;
    }
    return pg::compat::walk_expression(node, visit_references, argument);
}

// Replaces references to what is stored; returns the names of the other WITH queries that `query`
// refers to. level: 0 for the query that has the WITH itself, 1 for those in it.
::List* follow_references(::Query* query, ::Index level, ::List* stored) {
    References references = {level, stored, NIL};
    (void)pg::compat::walk_query(query, visit_references, &references, QTW_EXAMINE_RTES_BEFORE);
    return references.names;
}

::Query* query_of(const ::CommonTableExpr* cte) {
    return reinterpret_cast<::Query*>(cte->ctequery);
}

bool has_name(const ::List* names, const char* name) {
    for (int i = 0; i < ::list_length(names); ++i) {
        if (std::strcmp(strVal(::list_nth(names, i)), name) == 0) {
            return true;
        }
    }
    return false;
}

// The names of the WITH queries that the query itself reads.
::List* names_read(::Query* query) {
    References references = {0, NIL, NIL};
    (void)pg::compat::walk_query(query, visit_references, &references,
                                 QTW_EXAMINE_RTES_BEFORE | QTW_IGNORE_CTE_SUBQUERIES);
    return references.names;
}

// The WITH queries that change rows, those in `needed`, and those that they read, in the order they
// were written.
::List* choose_stored(const ::Query* query, ::List* needed) {
    for (int i = ::list_length(query->cteList) - 1; i >= 0; --i) {
        auto* cte = static_cast<::CommonTableExpr*>(::list_nth(query->cteList, i));
        if (query_of(cte)->commandType != CMD_SELECT || has_name(needed, cte->ctename)) {
            needed = ::list_concat(needed, follow_references(query_of(cte), 1, NIL));
            needed = ::lappend(needed, ::makeString(cte->ctename));
        }
    }
    ::List* stored = NIL;
    for (int i = 0; i < ::list_length(query->cteList); ++i) {
        auto* cte = static_cast<::CommonTableExpr*>(::list_nth(query->cteList, i));
        if (has_name(needed, cte->ctename)) {
            auto* entry = static_cast<Stored*>(::palloc0(sizeof(Stored)));
            entry->cte = cte;
            stored = ::lappend(stored, entry);
        }
    }
    return stored;
}

// SELECT * FROM the WITH query, which refers to itself.
::Query* around_recursion(::CommonTableExpr* cte) {
    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_CTE;
    rte->ctename = cte->ctename;
    rte->coltypes = cte->ctecoltypes;
    rte->coltypmods = cte->ctecoltypmods;
    rte->colcollations = cte->ctecolcollations;
    rte->eref = ::makeAlias(cte->ctename, static_cast<::List*>(copyObjectImpl(cte->ctecolnames)));
    rte->inFromCl = true;
    auto* query = makeNode(Query);
    query->commandType = CMD_SELECT;
    query->hasRecursive = true;
    query->cteList = ::list_make1(cte);
    query->rtable = ::list_make1(rte);
    auto* reference = makeNode(RangeTblRef);
    reference->rtindex = 1;
    query->jointree = ::makeFromExpr(::list_make1(reference), nullptr);
    for (int i = 0; i < ::list_length(cte->ctecoltypes); ++i) {
        auto column = static_cast<::AttrNumber>(i + 1);
        auto* var = ::makeVar(1, column, list_nth_oid(cte->ctecoltypes, i),
                              list_nth_int(cte->ctecoltypmods, i),
                              list_nth_oid(cte->ctecolcollations, i), 0);
        query->targetList =
            ::lappend(query->targetList,
                      ::makeTargetEntry(reinterpret_cast<::Expr*>(var), column,
                                        ::pstrdup(strVal(::list_nth(cte->ctecolnames, i))), false));
    }
    return query;
}

executor::WithPart* plan_part(const catalog::Catalog& herd, const PlanRequest& request,
                              ::List* before, Stored& stored) {
    ::CommonTableExpr* cte = stored.cte;
    ::Query* query = query_of(cte);
    ::List* open = follow_references(query, 1, before);
    bool recursive = cte->cterecursive && has_name(open, cte->ctename);
    if (::list_length(open) > (recursive ? 1 : 0) && !recursive) {
        refuse_statement("a data-modifying WITH query",
                         ::psprintf("\"%s\" reads \"%s\", which comes after it", cte->ctename,
                                    strVal(linitial(open))),
                         "Write the WITH queries in the order in which they read each other.");
    }
    PlanRequest part_request = request;
    part_request.query = recursive ? around_recursion(cte) : query;
    part_request.cursor_options = 0;
    auto* part = static_cast<executor::WithPart*>(::palloc0(sizeof(executor::WithPart)));
    part->label = cte->ctename;
    part->statement = plan_by_any_way(herd, part_request);
    if (query->commandType == CMD_SELECT || query->returningList != NIL) {
        stored.tuplestore = executor::new_tuplestore_name();
        stored.rows = part->statement->planTree->plan_rows;
        part->name = stored.tuplestore;
    }
    return part;
}

// The query without the parts of its WITH that run first.
void leave_out(::Query* query, ::List* stored) {
    ::List* rest = NIL;
    for (int i = 0; i < ::list_length(query->cteList); ++i) {
        auto* cte = static_cast<::CommonTableExpr*>(::list_nth(query->cteList, i));
        if (find_stored(stored, cte->ctename) == nullptr) {
            rest = ::lappend(rest, cte);
        }
    }
    query->cteList = rest;
    query->hasModifyingCTE = false;
    (void)follow_references(query, 0, stored);
}

// all: every query of WITH that is read runs before, not only those that need to.
::PlannedStmt* plan_parts(const catalog::Catalog& herd, const PlanRequest& request, bool all) {
    PlanRequest rest = request;
    rest.query = static_cast<::Query*>(copyObjectImpl(request.query));
    ::List* stored = choose_stored(rest.query, all ? names_read(rest.query) : NIL);
    ::List* before = NIL;
    ::List* parts = NIL;
    for (int i = 0; i < ::list_length(stored); ++i) {
        auto* entry = static_cast<Stored*>(::list_nth(stored, i));
        parts = ::lappend(parts, plan_part(herd, request, before, *entry));
        before = ::lappend(before, entry);
    }
    leave_out(rest.query, stored);
    if (all) {
        rest.query->cteList = NIL;
    }
    ::PlannedStmt* statement = plan_by_any_way(herd, rest);
    executor::wrap_with(statement, parts, false);
    return statement;
}

::PlannedStmt* plan_as_parts(const catalog::Catalog& herd, const PlanRequest& request, bool all) {
    bool was_part = set_part_of_larger(true);
    ::PlannedStmt* statement = nullptr;
    pg::run_finally([&] { statement = plan_parts(herd, request, all); },
                    [&] { (void)set_part_of_larger(was_part); });
    return statement;
}

}  // namespace

::PlannedStmt* plan_with(const catalog::Catalog& herd, const PlanRequest& request) {
    return plan_as_parts(herd, request, false);
}

::PlannedStmt* plan_with_before(const catalog::Catalog& herd, const PlanRequest& request) {
    return plan_as_parts(herd, request, true);
}

}  // namespace herd::planner
