#include "planner/returned_rows.hpp"

#include "pg/compat.hpp"
#include "planner/fragment_parts.hpp"

extern "C" {
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/rel.h"
}

namespace herd::planner {

namespace {

::AttrNumber position_of(Returned& returned, ::Node* column) {
    for (int i = 0; i < ::list_length(returned.columns); ++i) {
        if (equal(::list_nth(returned.columns, i), column)) {
            return static_cast<::AttrNumber>(i + 1);
        }
    }
    returned.columns = ::lappend(returned.columns, column);
    return static_cast<::AttrNumber>(::list_length(returned.columns));
}

::Expr* relabeled(::Expr* expression, Oid type) {
    auto* relabel = makeNode(RelabelType);
    relabel->arg = expression;
    relabel->resulttype = type;
    relabel->resulttypmod = -1;
    relabel->relabelformat = COERCE_EXPLICIT_CAST;
    relabel->location = -1;
    return reinterpret_cast<::Expr*>(relabel);
}

::Node* column_returned(Returned& returned, const ::Var* var) {
    auto* own = static_cast<::Var*>(copyObjectImpl(var));
    own->varlevelsup = 0;
    own->location = -1;
    if (var->varattno == TableOidAttributeNumber) {
        // By its name: numbers differ from server to server.
        auto* name = relabeled(reinterpret_cast<::Expr*>(own), REGCLASSOID);
        ::AttrNumber position = position_of(returned, reinterpret_cast<::Node*>(name));
        auto* read = ::makeVar(1, position, REGCLASSOID, -1, InvalidOid, var->varlevelsup);
        return reinterpret_cast<::Node*>(relabeled(reinterpret_cast<::Expr*>(read), OIDOID));
    }
    ::AttrNumber position = position_of(returned, reinterpret_cast<::Node*>(own));
    return reinterpret_cast<::Node*>(
        ::makeVar(1, position, var->vartype, var->vartypmod, var->varcollid, var->varlevelsup));
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
        if (var->varattno != 0) {
            return column_returned(returned, var);
        }
        auto* row = static_cast<::Node*>(copyObjectImpl(returned.row));
        ::IncrementVarSublevelsUp(row, returned.level, 0);
        return row;
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

::RangeTblEntry* tuplestore_entry(char* name, const ::List* columns) {
    auto* rte = makeNode(RangeTblEntry);
    rte->rtekind = RTE_NAMEDTUPLESTORE;
    rte->enrname = name;
    rte->inFromCl = true;
    ::List* names = NIL;
    for (int i = 0; i < ::list_length(columns); ++i) {
        auto* column = static_cast<::Node*>(::list_nth(columns, i));
        rte->coltypes = ::lappend_oid(rte->coltypes, ::exprType(column));
        rte->coltypmods = ::lappend_int(rte->coltypmods, ::exprTypmod(column));
        rte->colcollations = ::lappend_oid(rte->colcollations, ::exprCollation(column));
        names = ::lappend(names, ::makeString(::psprintf("c%d", i + 1)));
    }
    rte->eref = ::makeAlias("returned", names);
    return rte;
}

}  // namespace

Returned all_columns(const ::Query* insert) {
    Oid relid = rt_fetch(insert->resultRelation, insert->rtable)->relid;
    Returned returned = {insert->resultRelation, 0, relid, NIL, nullptr};
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
        auto* column = ::makeVar(insert->resultRelation, attribute->attnum, attribute->atttypid,
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

::List* over_returned(Returned& returned, ::List* returning) {
    return reinterpret_cast<::List*>(
        read_returned(reinterpret_cast<::Node*>(returning), &returned));
}

::List* target_list_of(const Returned& returned) {
    ::List* list = NIL;
    for (int i = 0; i < ::list_length(returned.columns); ++i) {
        list = ::lappend(
            list,
            ::makeTargetEntry(static_cast<::Expr*>(copyObjectImpl(::list_nth(returned.columns, i))),
                              static_cast<::AttrNumber>(i + 1), ::psprintf("c%d", i + 1), false));
    }
    return list;
}

::Query* select_returned(const Returned& returned, char* name, ::List* returning, ::List* checks) {
    ::Query* query = select_from(tuplestore_entry(name, returned.columns));
    query->targetList = returning;
    query->jointree->quals =
        reinterpret_cast<::Node*>(checks == NIL ? nullptr : ::make_ands_explicit(checks));
    query->hasSubLinks = ::checkExprHasSubLink(reinterpret_cast<::Node*>(returning)) ||
                         ::checkExprHasSubLink(reinterpret_cast<::Node*>(checks));
    query->hasTargetSRFs = ::expression_returns_set(reinterpret_cast<::Node*>(returning));
    return query;
}

bool is_table_name(const ::Expr* expression) {
    auto* relabel = reinterpret_cast<const ::RelabelType*>(expression);
    if (!IsA(expression, RelabelType) || relabel->resulttype != REGCLASSOID) {
        return false;
    }
    auto* var = reinterpret_cast<const ::Var*>(relabel->arg);
    return IsA(var, Var) && var->varattno == TableOidAttributeNumber;
}

}  // namespace herd::planner
