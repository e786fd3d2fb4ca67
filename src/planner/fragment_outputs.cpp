// The columns of a fragment over one table, among them those that every table has.
//
// System columns: ctid, xmin and the like are their node's own. tableoid is this server's number of
// the table: a node sends the name of a partition. kNodeColumn is the number of the row's node.
#include "pg/compat.hpp"
#include "planner/fragment_parts.hpp"

extern "C" {
#include "access/sysattr.h"
#include "catalog/heap.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "parser/parsetree.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
}

namespace herd::planner {

namespace {

struct UsedColumns {
    int level;
    ::Index rti;
    ::Bitmapset* columns;
    ::Bitmapset* system;  // by their numbers without the sign
    bool whole_row;
};

bool find_used(::Node* node, void* argument) {
    auto& used = *static_cast<UsedColumns*>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Var)) {
        auto* var = reinterpret_cast<::Var*>(node);
        if (static_cast<int>(var->varlevelsup) != used.level ||
            static_cast<::Index>(var->varno) != used.rti) {
            return false;
        }
        if (var->varattno > 0) {
            used.columns = ::bms_add_member(used.columns, var->varattno);
        } else if (var->varattno < 0) {
            used.system = ::bms_add_member(used.system, -var->varattno);
        } else {
            used.whole_row = true;
        }
        return false;
    }
    if (IsA(node, Query)) {
        ++used.level;
        (void)pg::compat::walk_query(reinterpret_cast<::Query*>(node), find_used, argument, 0);
        --used.level;
        return false;
    }
    return pg::compat::walk_expression(node, find_used, argument);
}

// A null of the column's type, for a column that nobody reads.
::Expr* null_column(::Form_pg_attribute attribute) {
    return attribute->attisdropped
               ? reinterpret_cast<::Expr*>(::makeNullConst(INT4OID, -1, InvalidOid))
               : reinterpret_cast<::Expr*>(::makeNullConst(
                     attribute->atttypid, attribute->atttypmod, attribute->attcollation));
}

::Expr* column_of(int number, ::Form_pg_attribute attribute) {
    return reinterpret_cast<::Expr*>(::makeVar(1, static_cast<::AttrNumber>(number),
                                               attribute->atttypid, attribute->atttypmod,
                                               attribute->attcollation, 0));
}

Output* ordinary_column(::Form_pg_attribute attribute, bool used) {
    auto* output = static_cast<Output*>(::palloc0(sizeof(Output)));
    output->position = attribute->attnum;
    output->name = ::pstrdup(attribute->attisdropped ? ::psprintf("dropped_%d", attribute->attnum)
                                                     : NameStr(attribute->attname));
    output->null = null_column(attribute);
    output->used = !attribute->attisdropped && used;
    output->expression = column_of(attribute->attnum, attribute);
    return output;
}

::Expr* int_constant(int value) {
    return reinterpret_cast<::Expr*>(
        ::makeConst(INT4OID, -1, InvalidOid, sizeof(int32), Int32GetDatum(value), false, true));
}

::Expr* oid_constant(Oid value) {
    return reinterpret_cast<::Expr*>(
        ::makeConst(OIDOID, -1, InvalidOid, sizeof(Oid), ObjectIdGetDatum(value), false, true));
}

::Expr* call(const char* schema, const char* name, Oid result, ::List* arguments) {
    Oid types[1] = {TEXTOID};
    ::List* names = ::list_make2(::makeString(::pstrdup(schema)), ::makeString(::pstrdup(name)));
    Oid function = ::LookupFuncName(names, ::list_length(arguments), types, false);
    return reinterpret_cast<::Expr*>(::makeFuncExpr(function, result, arguments, InvalidOid,
                                                    DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL));
}

::Expr* relabelled(::Expr* expression, Oid type) {
    return reinterpret_cast<::Expr*>(
        ::makeRelabelType(expression, type, -1, InvalidOid, COERCE_EXPLICIT_CAST));
}

// The name of the table that holds the row, and this server's number of that name.
void send_table_by_name(Output* output) {
    auto* text = makeNode(CoerceViaIO);
    text->arg = relabelled(output->expression, REGCLASSOID);
    text->resulttype = TEXTOID;
    text->resultcollid = DEFAULT_COLLATION_OID;
    text->coerceformat = COERCE_EXPLICIT_CAST;
    text->location = -1;
    output->sent = ::list_make1(text);
    auto* name = ::makeVar(1, 1, TEXTOID, -1, DEFAULT_COLLATION_OID, 0);
    output->received =
        relabelled(call("pg_catalog", "regclass", REGCLASSOID, ::list_make1(name)), OIDOID);
}

Output* system_column(const catalog::Catalog& herd, ::Relation relation, int number) {
    auto* output = static_cast<Output*>(::palloc0(sizeof(Output)));
    output->used = true;
    if (number == kNodeColumn) {
        output->name = "herd_node";
        output->expression = int_constant(herd.self.value);
        output->sent = ::list_make1(call("herd", "link_node", INT4OID, NIL));
        return output;
    }
    auto attribute = const_cast<::Form_pg_attribute>(
        ::SystemAttributeDefinition(static_cast<::AttrNumber>(number)));
    output->name = ::psprintf("herd_%s", NameStr(attribute->attname));
    output->expression = column_of(number, attribute);
    if (number != TableOidAttributeNumber) {
        return output;
    }
    if (::has_subclass(RelationGetRelid(relation))) {
        send_table_by_name(output);
    } else {
        output->expression = oid_constant(RelationGetRelid(relation));
    }
    return output;
}

// The whole row as one column, beside others that are not part of it.
Output* whole_row(::Relation relation) {
    auto* output = static_cast<Output*>(::palloc0(sizeof(Output)));
    Oid type = relation->rd_rel->reltype;
    output->used = true;
    output->name = "herd_row";
    output->expression = reinterpret_cast<::Expr*>(::makeVar(1, 0, type, -1, InvalidOid, 0));
    auto* row = makeNode(RowExpr);
    row->row_typeid = type;
    row->row_format = COERCE_IMPLICIT_CAST;
    row->location = -1;
    ::TupleDesc description = RelationGetDescr(relation);
    for (int i = 0; i < description->natts; ++i) {
        ::Form_pg_attribute attribute = TupleDescAttr(description, i);
        if (attribute->attisdropped) {
            row->args = ::lappend(row->args, null_column(attribute));
        } else {
            output->sent = ::lappend(output->sent, column_of(attribute->attnum, attribute));
            row->args = ::lappend(row->args, column_of(::list_length(output->sent), attribute));
        }
    }
    output->received = reinterpret_cast<::Expr*>(row);
    return output;
}

struct Moving {
    int level;
    ::Index rti;
    ::AttrNumber from;
    ::AttrNumber to;
};

bool move_columns(::Node* node, void* argument) {
    auto& moving = *static_cast<Moving*>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Var)) {
        auto* var = reinterpret_cast<::Var*>(node);
        if (static_cast<int>(var->varlevelsup) == moving.level &&
            static_cast<::Index>(var->varno) == moving.rti && var->varattno == moving.from) {
            var->varattno = moving.to;
            var->varattnosyn = moving.to;
        }
        return false;
    }
    if (IsA(node, Query)) {
        ++moving.level;
        (void)pg::compat::walk_query(reinterpret_cast<::Query*>(node), move_columns, argument, 0);
        --moving.level;
        return false;
    }
    return pg::compat::walk_expression(node, move_columns, argument);
}

// Adds an output behind the others, and gives the query's Vars of that column its place.
::List* add_moved(::List* outputs, Output* output, ::Query* query, ::Index rti, int column) {
    output->position = static_cast<::AttrNumber>(::list_length(outputs) + 1);
    Moving moving = {0, rti, static_cast<::AttrNumber>(column), output->position};
    (void)pg::compat::walk_query(query, move_columns, &moving, 0);
    return ::lappend(outputs, output);
}

}  // namespace

::List* table_outputs(const catalog::Catalog& herd, ::Relation relation, ::Query* query,
                      ::Index rti) {
    UsedColumns used = {0, rti, nullptr, nullptr, false};
    (void)pg::compat::walk_query(query, find_used, &used, 0);
    // A whole row is all columns of the replacing relation, if there are no others.
    bool all_used = used.whole_row && used.system == nullptr;
    ::List* outputs = NIL;
    ::TupleDesc description = RelationGetDescr(relation);
    for (int i = 0; i < description->natts; ++i) {
        bool column_used = all_used || ::bms_is_member(i + 1, used.columns);
        outputs = ::lappend(outputs, ordinary_column(TupleDescAttr(description, i), column_used));
    }
    int number = -1;
    while ((number = ::bms_next_member(used.system, number)) >= 0) {
        outputs = add_moved(outputs, system_column(herd, relation, -number), query, rti, -number);
    }
    if (used.whole_row && !all_used) {
        outputs = add_moved(outputs, whole_row(relation), query, rti, 0);
    }
    return outputs;
}

}  // namespace herd::planner
