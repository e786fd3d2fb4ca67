#include "copy/copy_to.hpp"

extern "C" {
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class_d.h"
#include "commands/copy.h"
#include "nodes/makefuncs.h"
#include "parser/parse_node.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
}

namespace herd::copy {

namespace {

::Node* select_column(::Relation relation, int attnum) {
    Form_pg_attribute column = TupleDescAttr(RelationGetDescr(relation), attnum - 1);
    auto* reference = makeNode(ColumnRef);
    reference->fields = list_make1(::makeString(::pstrdup(NameStr(column->attname))));
    reference->location = -1;
    auto* target = makeNode(ResTarget);
    target->val = reinterpret_cast<::Node*>(reference);
    target->location = -1;
    return reinterpret_cast<::Node*>(target);
}

::SelectStmt* select_columns(::Relation relation, const ::List* columns) {
    auto* select = makeNode(SelectStmt);
    const ::ListCell* cell;
    foreach (cell, columns) {
        select->targetList =
            ::lappend(select->targetList, select_column(relation, lfirst_int(cell)));
    }
    ::RangeVar* from = ::makeRangeVar(::get_namespace_name(RelationGetNamespace(relation)),
                                      ::pstrdup(RelationGetRelationName(relation)), -1);
    from->inh = false;
    select->fromClause = list_make1(from);
    return select;
}

// As COPY TO checks it for a table; for a query it would not know the table's other columns.
void check_force_quote(::Relation relation, const ::List* columns, ::List* options) {
    ::CopyFormatOptions parsed{};
    ::ProcessCopyOptions(nullptr, &parsed, false, options);
    if (parsed.force_quote == nullptr) {
        return;
    }
    ::List* quoted = ::CopyGetAttnums(RelationGetDescr(relation), relation, parsed.force_quote);
    const ::ListCell* cell;
    foreach (cell, quoted) {
        if (!::list_member_int(columns, lfirst_int(cell))) {
            ereport(ERROR,
                    (errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
                     errmsg("FORCE_QUOTE column \"%s\" not referenced by COPY",
                            ::get_attname(RelationGetRelid(relation), lfirst_int(cell), false))));
        }
    }
}

// PostgreSQL style.
void copy_out(const ::PlannedStmt* planned, const char* query_string, CopiedOut& out) {
    auto* statement = static_cast<::CopyStmt*>(::copyObjectImpl(planned->utilityStmt));
    ::Relation relation = ::table_openrv(statement->relation, AccessShareLock);
    bool as_query = relation->rd_rel->relkind == RELKIND_RELATION &&
                    ::check_enable_rls(RelationGetRelid(relation), InvalidOid, true) != RLS_ENABLED;
    if (as_query) {
        ::List* columns =
            ::CopyGetAttnums(RelationGetDescr(relation), relation, statement->attlist);
        check_force_quote(relation, columns, statement->options);
        statement->query = reinterpret_cast<::Node*>(select_columns(relation, columns));
        statement->relation = nullptr;
        statement->attlist = NIL;
    }
    ::table_close(relation, NoLock);
    if (as_query) {
        ::ParseState* parse_state = ::make_parsestate(nullptr);
        parse_state->p_sourcetext = query_string;
        ::DoCopy(parse_state, statement, planned->stmt_location, planned->stmt_len, &out.rows);
        out.done = true;
    }
}

}  // namespace

CopiedOut copy_to(const ::PlannedStmt* planned, const char* query_string) {
    CopiedOut out;
    pg::call([&] { copy_out(planned, query_string, out); });
    return out;
}

}  // namespace herd::copy
