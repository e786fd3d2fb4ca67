// RETURNING that is evaluated here: a SELECT over the rows that an INSERT has returned.
#include "executor/with_scan.hpp"
#include "pg/compat.hpp"
#include "pg/guard.hpp"
#include "planner/fragment.hpp"
#include "planner/planner_hook.hpp"
#include "planner/with_plan.hpp"

extern "C" {
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace herd::planner {

namespace {

// The rows as they come back: the table's columns, then the system columns that RETURNING reads.
struct Returned {
    int target;
    int level;
    Oid relid;
    ::List* columns;  // of Var, over the target
    ::Expr* row;      // the whole row, over the columns
};

int position_of(Returned& returned, const ::Var* var) {
    for (int i = 0; i < ::list_length(returned.columns); ++i) {
        auto* column = static_cast<::Var*>(::list_nth(returned.columns, i));
        if (column->varattno == var->varattno) {
            return i + 1;
        }
    }
    auto* column = static_cast<::Var*>(copyObjectImpl(var));
    column->varlevelsup = 0;
    returned.columns = ::lappend(returned.columns, column);
    return ::list_length(returned.columns);
}

::Node* read_returned(::Node* node, void* argument) {
    auto& returned = *static_cast<Returned*>(argument);
    if (node == nullptr) {
        return nullptr;
    }
    if (IsA(node, Var)) {
        auto* var = reinterpret_cast<::Var*>(node);
        if (static_cast<int>(var->varlevelsup) != returned.level || var->varno != returned.target) {
            return static_cast<::Node*>(copyObjectImpl(node));
        }
        ::Node* read = nullptr;
        if (var->varattno == 0) {
            read = static_cast<::Node*>(copyObjectImpl(returned.row));
            ::IncrementVarSublevelsUp(read, returned.level, 0);
        } else if (var->varattno == TableOidAttributeNumber) {
            if (::has_subclass(returned.relid)) {
                refuse_statement("INSERT", "RETURNING asks for the partition's tableoid",
                                 "SELECT it after the INSERT.");
            }
            read = reinterpret_cast<::Node*>(::makeConst(OIDOID, -1, InvalidOid, sizeof(Oid),
                                                         ObjectIdGetDatum(returned.relid), false,
                                                         true));
        } else {
            auto position = static_cast<::AttrNumber>(position_of(returned, var));
            read = reinterpret_cast<::Node*>(::makeVar(1, position, var->vartype, var->vartypmod,
                                                       var->varcollid, var->varlevelsup));
        }
        return read;
    }
    if (IsA(node, Query)) {
        ++returned.level;
        ::Query* query =
            pg::compat::mutate_query(reinterpret_cast<::Query*>(node), read_returned, argument, 0);
        --returned.level;
        return reinterpret_cast<::Node*>(query);
    }
    return pg::compat::mutate_expression(node, read_returned, argument);
}

// All columns of the target, and the row that they make.
Returned all_columns(const ::Query* query) {
    Oid relid = rt_fetch(query->resultRelation, query->rtable)->relid;
    Returned returned = {query->resultRelation, 0, relid, NIL, nullptr};
    auto* row = makeNode(RowExpr);
    row->row_format = COERCE_IMPLICIT_CAST;
    row->location = -1;
    ::Relation relation = ::table_open(relid, NoLock);
    row->row_typeid = relation->rd_rel->reltype;
    ::TupleDesc description = RelationGetDescr(relation);
    for (int i = 0; i < description->natts; ++i) {
        ::Form_pg_attribute attribute = TupleDescAttr(description, i);
        if (attribute->attisdropped) {
            row->args = ::lappend(row->args, ::makeNullConst(INT4OID, -1, InvalidOid));
            continue;
        }
        auto* column = ::makeVar(query->resultRelation, attribute->attnum, attribute->atttypid,
                                 attribute->atttypmod, attribute->attcollation, 0);
        returned.columns = ::lappend(returned.columns, column);
        auto position = static_cast<::AttrNumber>(::list_length(returned.columns));
        row->args =
            ::lappend(row->args, ::makeVar(1, position, attribute->atttypid, attribute->atttypmod,
                                           attribute->attcollation, 0));
    }
    ::table_close(relation, NoLock);
    returned.row = reinterpret_cast<::Expr*>(row);
    return returned;
}

::List* target_list(const ::List* columns) {
    ::List* list = NIL;
    for (int i = 0; i < ::list_length(columns); ++i) {
        list = ::lappend(
            list,
            ::makeTargetEntry(static_cast<::Expr*>(copyObjectImpl(::list_nth(columns, i))),
                              static_cast<::AttrNumber>(i + 1), ::psprintf("c%d", i + 1), false));
    }
    return list;
}

::RangeTblEntry* tuplestore_entry(char* name, const ::List* columns) {
    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_NAMEDTUPLESTORE;
    rte->enrname = name;
    rte->inFromCl = true;
    ::List* names = NIL;
    for (int i = 0; i < ::list_length(columns); ++i) {
        auto* column = static_cast<::Var*>(::list_nth(columns, i));
        rte->coltypes = ::lappend_oid(rte->coltypes, column->vartype);
        rte->coltypmods = ::lappend_int(rte->coltypmods, column->vartypmod);
        rte->colcollations = ::lappend_oid(rte->colcollations, column->varcollid);
        names = ::lappend(names, ::makeString(::psprintf("c%d", i + 1)));
    }
    rte->eref = ::makeAlias("returned", names);
    return rte;
}

// SELECT the RETURNING list FROM the rows that came back
::Query* query_over(char* name, ::List* returning, const ::List* columns) {
    auto* query = makeNode(Query);
    query->commandType = CMD_SELECT;
    query->canSetTag = true;
    query->rtable = ::list_make1(tuplestore_entry(name, columns));
    auto* reference = makeNode(RangeTblRef);
    reference->rtindex = 1;
    query->jointree = ::makeFromExpr(::list_make1(reference), nullptr);
    query->targetList = returning;
    query->hasSubLinks = ::checkExprHasSubLink(reinterpret_cast<::Node*>(returning));
    query->hasTargetSRFs = ::expression_returns_set(reinterpret_cast<::Node*>(returning));
    return query;
}

::PlannedStmt* plan_both(const catalog::Catalog& herd, const PlanRequest& request) {
    auto* insert = static_cast<::Query*>(copyObjectImpl(request.query));
    Returned returned = all_columns(insert);
    auto* returning = reinterpret_cast<::List*>(
        read_returned(reinterpret_cast<::Node*>(insert->returningList), &returned));
    insert->returningList = target_list(returned.columns);
    auto* part = static_cast<executor::WithPart*>(::palloc0(sizeof(executor::WithPart)));
    char* name = executor::new_tuplestore_name();
    part->name = name;
    part->label = ::get_rel_name(returned.relid);
    PlanRequest part_request = request;
    part_request.query = insert;
    part->statement = plan_by_any_way(herd, part_request);
    PlanRequest rest = request;
    rest.query = query_over(name, returning, returned.columns);
    ::PlannedStmt* statement = plan_by_any_way(herd, rest);
    executor::wrap_with(statement, ::list_make1(part), 0);
    statement->commandType = CMD_INSERT;
    statement->hasReturning = true;
    statement->canSetTag = request.query->canSetTag;
    return statement;
}

}  // namespace

::PlannedStmt* plan_returning_here(const catalog::Catalog& herd, const PlanRequest& request) {
    if (request.query->cteList != NIL &&
        ::checkExprHasSubLink(reinterpret_cast<::Node*>(request.query->returningList))) {
        refuse_statement("INSERT", "a subquery in RETURNING stands beside a WITH of the INSERT",
                         "Put the INSERT itself into the WITH of a SELECT.");
    }
    bool was_part = set_part_of_larger(true);
    ::PlannedStmt* statement = nullptr;
    pg::run_finally([&] { statement = plan_both(herd, request); },
                    [&] { (void)set_part_of_larger(was_part); });
    return statement;
}

}  // namespace herd::planner
