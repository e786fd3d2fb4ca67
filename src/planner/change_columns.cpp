// Expressions over the statement's own entries as expressions over its changes.
#include "pg/compat.hpp"
#include "planner/modify_query.hpp"

extern "C" {
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace herd::planner {

namespace {

struct Lifting {
    Changes* changes;
    int level;
    bool after;  // the target's columns are those of the changed row
};

::AttrNumber result_column(Changes& changes, ::AttrNumber column, ::Node* like) {
    executor::ModifyPlan& plan = changes.plan;
    for (int i = 0; i < ::list_length(plan.results); ++i) {
        if (list_nth_int(plan.results, i) == column) {
            return static_cast<::AttrNumber>(list_nth_int(plan.result_sources, i));
        }
    }
    ::Const* nothing = ::makeNullConst(::exprType(like), ::exprTypmod(like), ::exprCollation(like));
    auto position = static_cast<::AttrNumber>(::list_length(changes.outputs) + 1);
    changes.outputs =
        ::lappend(changes.outputs, ::makeTargetEntry(reinterpret_cast<::Expr*>(nothing), position,
                                                     ::psprintf("new_%d", position), false));
    plan.results = ::lappend_int(plan.results, column);
    plan.result_sources = ::lappend_int(plan.result_sources, position);
    return position;
}

::Expr* change_var(::AttrNumber position, ::Node* like, int level) {
    return reinterpret_cast<::Expr*>(::makeVar(1, position, ::exprType(like), ::exprTypmod(like),
                                               ::exprCollation(like), static_cast<::Index>(level)));
}

::Expr* whole_row(Changes& changes, const ::Var* var, int level) {
    auto* row = makeNode(RowExpr);
    row->row_typeid = var->vartype;
    row->row_format = COERCE_IMPLICIT_CAST;
    row->location = -1;
    ::Relation relation = ::table_open(changes.target->relid, NoLock);
    ::TupleDesc description = RelationGetDescr(relation);
    for (int i = 0; i < description->natts; ++i) {
        ::Form_pg_attribute attribute = TupleDescAttr(description, i);
        if (attribute->attisdropped) {
            row->args = ::lappend(row->args, ::makeNullConst(INT4OID, -1, InvalidOid));
        } else {
            auto* like = reinterpret_cast<::Node*>(target_column(changes, attribute->attnum));
            row->args =
                ::lappend(row->args,
                          change_var(result_column(changes, attribute->attnum, like), like, level));
        }
        row->colnames = ::lappend(row->colnames, ::makeString(NameStr(attribute->attname)));
    }
    ::table_close(relation, NoLock);
    return reinterpret_cast<::Expr*>(row);
}

::Expr* lifted_var(Changes& changes, const ::Var* var, int level, bool after) {
    auto* copy = static_cast<::Var*>(copyObjectImpl(var));
    copy->varlevelsup = 0;
    auto* like = reinterpret_cast<::Node*>(copy);
    bool of_target = after && copy->varno == changes.rti;
    if (of_target && copy->varattno == 0) {
        return whole_row(changes, copy, level);
    }
    ::AttrNumber position = of_target ? result_column(changes, copy->varattno, like)
                                      : add_output(changes, reinterpret_cast<::Expr*>(copy));
    return change_var(position, like, level);
}

// Expressions over the statement's own entries become ones over the changes.
::Node* lift(::Node* node, void* argument) {
    auto& lifting = *static_cast<Lifting*>(argument);
    if (node == nullptr) {
        return nullptr;
    }
    if (IsA(node, Var)) {
        auto* var = reinterpret_cast<::Var*>(node);
        if (static_cast<int>(var->varlevelsup) == lifting.level) {
            return reinterpret_cast<::Node*>(
                lifted_var(*lifting.changes, var, lifting.level, lifting.after));
        }
        return static_cast<::Node*>(copyObjectImpl(node));
    }
    if (IsA(node, Query)) {
        ++lifting.level;
        auto* query = reinterpret_cast<::Node*>(
            pg::compat::mutate_query(reinterpret_cast<::Query*>(node), lift, argument, 0));
        --lifting.level;
        return query;
    }
    return pg::compat::mutate_expression(node, lift, argument);
}

bool deepen_references(::Node* node, void* argument) {
    auto& level = *static_cast<::Index*>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        auto* rte = reinterpret_cast<::RangeTblEntry*>(node);
        if (rte->rtekind == RTE_CTE && rte->ctelevelsup >= level) {
            ++rte->ctelevelsup;
        }
        return false;
    }
    if (IsA(node, Query)) {
        ++level;
        (void)pg::compat::walk_query(reinterpret_cast<::Query*>(node), deepen_references, argument,
                                     QTW_EXAMINE_RTES_BEFORE);
        --level;
        return false;
    }
    return pg::compat::walk_expression(node, deepen_references, argument);
}

}  // namespace

::AttrNumber add_output(Changes& changes, ::Expr* expression) {
    for (int i = 0; i < ::list_length(changes.outputs); ++i) {
        auto* entry = static_cast<::TargetEntry*>(::list_nth(changes.outputs, i));
        // What is a null here may become something else when rows come back.
        if (IsA(expression, Var) && equal(entry->expr, expression)) {
            return entry->resno;
        }
    }
    auto position = static_cast<::AttrNumber>(::list_length(changes.outputs) + 1);
    ::TargetEntry* entry =
        ::makeTargetEntry(expression, position, ::psprintf("c%d", position), false);
    changes.outputs = ::lappend(changes.outputs, entry);
    return position;
}

::Var* target_column(const Changes& changes, ::AttrNumber column) {
    Oid type = InvalidOid;
    int32 typmod = -1;
    Oid collation = InvalidOid;
    ::get_atttypetypmodcoll(changes.target->relid, column, &type, &typmod, &collation);
    return ::makeVar(changes.rti, column, type, typmod, collation, 0);
}

::Expr* over_source(Changes& changes, ::Expr* expression) {
    if (changes.below == nullptr) {
        return expression;
    }
    Lifting lifting = {changes.below, 0, false};
    return reinterpret_cast<::Expr*>(lift(reinterpret_cast<::Node*>(expression), &lifting));
}

::List* after_changes(Changes& changes, const ::List* expressions) {
    Lifting lifting = {&changes, 0, true};
    auto* node = reinterpret_cast<::Node*>(const_cast<::List*>(expressions));
    return reinterpret_cast<::List*>(lift(node, &lifting));
}

::List* take_with_queries(::Query* query) {
    ::List* queries = query->cteList;
    query->cteList = NIL;
    query->hasModifyingCTE = false;
    ::Index level = 0;
    (void)pg::compat::walk_query(query, deepen_references, &level, QTW_EXAMINE_RTES_BEFORE);
    return queries;
}

}  // namespace herd::planner
