#include "copy/copy_plan.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/sysattr.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "nodes/bitmapset.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/ruleutils.h"
}

namespace herd::copy {

namespace {

void refuse_generated_columns(::Relation relation, ::Node* where) {
    ::Bitmapset* columns = nullptr;
    ::pull_varattnos(where, 1, &columns);
    bool whole_row = ::bms_is_member(-FirstLowInvalidHeapAttributeNumber, columns);
    for (int i = 0; i < RelationGetNumberOfAttributes(relation); ++i) {
        Form_pg_attribute column = TupleDescAttr(RelationGetDescr(relation), i);
        if (column->attgenerated != '\0' &&
            (whole_row || ::bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, columns))) {
            ereport(ERROR,
                    (errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
                     errmsg("generated columns are not supported in COPY FROM WHERE conditions"),
                     errdetail("Column \"%s\" is a generated column.", NameStr(column->attname))));
        }
    }
}

::List* make_where(::ParseState* parse_state, ::ParseNamespaceItem* item, ::Relation relation,
                   const ::Node* clause) {
    ::addNSItemToQuery(parse_state, item, false, true, true);
    auto* copied = static_cast<::Node*>(::copyObjectImpl(clause));
    ::Node* where = ::transformExpr(parse_state, copied, EXPR_KIND_COPY_WHERE);
    where = ::coerce_to_boolean(parse_state, where, "WHERE");
    ::assign_expr_collations(parse_state, where);
    refuse_generated_columns(relation, where);
    where = ::eval_const_expressions(nullptr, where);
    where = reinterpret_cast<::Node*>(::canonicalize_qual(reinterpret_cast<::Expr*>(where), false));
    return ::make_ands_implicit(reinterpret_cast<::Expr*>(where));
}

void check_privileges(const CopyPlan& plan, ::RangeTblEntry* entry) {
    entry->requiredPerms = ACL_INSERT;
    const ::ListCell* cell;
    foreach (cell, plan.columns) {
        entry->insertedCols = ::bms_add_member(
            entry->insertedCols, lfirst_int(cell) - FirstLowInvalidHeapAttributeNumber);
    }
    ::ExecCheckRTPerms(plan.parse_state->p_rtable, true);
    if (::check_enable_rls(entry->relid, InvalidOid, false) == RLS_ENABLED) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("COPY FROM not supported with row-level security"),
                        errhint("Use INSERT statements instead.")));
    }
}

void choose_encoding(CopyPlan& plan) {
    plan.file_encoding =
        plan.options.file_encoding < 0 ? ::pg_get_client_encoding() : plan.options.file_encoding;
    int server = ::GetDatabaseEncoding();
    Transcoding& transcoding = plan.transcoding;
    transcoding.from = plan.file_encoding;
    transcoding.treatment = plan.options.binary ? Treatment::kNone : Treatment::kVerify;
    if (plan.file_encoding == server || plan.file_encoding == PG_SQL_ASCII ||
        server == PG_SQL_ASCII) {
        return;
    }
    transcoding.procedure = ::FindDefaultConversionProc(plan.file_encoding, server);
    if (!OidIsValid(transcoding.procedure)) {
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_FUNCTION),
                 errmsg("default conversion function for encoding \"%s\" to \"%s\" does not exist",
                        pg_encoding_to_char(plan.file_encoding), pg_encoding_to_char(server))));
    }
    if (!plan.options.binary) {
        transcoding.treatment = Treatment::kTranscode;
    }
}

const char* where_text(const CopyPlan& plan);

void refuse_option(const ::CopyFormatOptions& options) {
    if (options.convert_selectively) {
        ereport(ERROR, (errcode(sqlstate::kStatementNotCovered.code),
                        errmsg("COPY option \"convert_selectively\" is not supported for tables "
                               "of a herd")));
    }
}

}  // namespace

void make_plan(CopyPlan& plan, const ::CopyStmt* statement, const char* query_string) {
    plan.statement = static_cast<::CopyStmt*>(::copyObjectImpl(statement));
    plan.parse_state = ::make_parsestate(nullptr);
    plan.parse_state->p_sourcetext = query_string;
    ::PreventCommandIfParallelMode("COPY FROM");
    check_source_allowed(statement);
    plan.relation = ::table_openrv(statement->relation, RowExclusiveLock);
    ::ParseNamespaceItem* item = ::addRangeTableEntryForRelation(
        plan.parse_state, plan.relation, RowExclusiveLock, nullptr, false, false);
    if (statement->whereClause != nullptr) {
        plan.where = make_where(plan.parse_state, item, plan.relation, statement->whereClause);
    }
    plan.columns =
        ::CopyGetAttnums(RelationGetDescr(plan.relation), plan.relation, statement->attlist);
    check_privileges(plan, item->p_rte);
    if (::XactReadOnly) {
        ::PreventCommandIfReadOnly("COPY FROM");
    }
    ::ProcessCopyOptions(plan.parse_state, &plan.options, true, statement->options);
    refuse_option(plan.options);
    choose_encoding(plan);
    plan.where_text = plan.where == nullptr ? nullptr : where_text(plan);
}

namespace {

bool is_foreign_function(Oid function, void*) {
    return function >= FirstNormalObjectId;
}

// Whether a node might see another truth: functions of users, this server's own numbers.
bool is_local_matter(::Node* node, void* context) {
    if (node == nullptr) {
        return false;
    }
    if (::check_functions_in_node(node, is_foreign_function, nullptr) ||
        IsA(node, CoerceToDomain) || IsA(node, NextValueExpr) || IsA(node, Param) ||
        (IsA(node, Var) && reinterpret_cast<::Var*>(node)->varattno < 0)) {
        return true;
    }
    return pg::compat::walk_expression(node, is_local_matter, context);
}

// The WHERE clause with qualified names, or null. Stable calls without columns, such as now(), have
// become this server's value.
const char* where_text(const CopyPlan& plan) {
    auto* where = reinterpret_cast<::Node*>(::make_ands_explicit(plan.where));
    auto* root = makeNode(PlannerInfo);
    root->glob = makeNode(PlannerGlobal);
    where = ::estimate_expression_value(root, where);
    if (::contain_volatile_functions(where) || is_local_matter(where, nullptr)) {
        return nullptr;
    }
    int level = ::NewGUCNestLevel();
    (void)::set_config_option("search_path", "pg_catalog", PGC_USERSET, PGC_S_SESSION,
                              GUC_ACTION_SAVE, true, 0, false);
    ::List* names = ::deparse_context_for(RelationGetRelationName(plan.relation),
                                          RelationGetRelid(plan.relation));
    char* text = ::deparse_expression(where, names, false, false);
    ::AtEOXact_GUC(true, level);
    return text;
}

bool is_transcoded(const CopyPlan& plan) {
    return plan.transcoding.treatment == Treatment::kTranscode;
}

void append_names(::StringInfo text, const ::List* names) {
    const ::ListCell* cell;
    const char* separator = "";
    foreach (cell, names) {
        ::appendStringInfo(text, "%s%s", separator, ::quote_identifier(strVal(lfirst(cell))));
        separator = ", ";
    }
}

void append_option(::StringInfo text, const char* name, const char* value) {
    if (value != nullptr) {
        ::appendStringInfo(text, ", %s %s", name, ::quote_literal_cstr(value));
    }
}

void append_name_option(::StringInfo text, const char* name, const ::List* columns) {
    if (columns != nullptr) {
        ::appendStringInfo(text, ", %s (", name);
        append_names(text, columns);
        ::appendStringInfoChar(text, ')');
    }
}

void append_options(::StringInfo text, const CopyPlan& plan) {
    const ::CopyFormatOptions& options = plan.options;
    if (options.binary) {
        ::appendStringInfoString(text, "FORMAT binary");
        return;
    }
    ::appendStringInfoString(text, options.csv_mode ? "FORMAT csv" : "FORMAT text");
    append_option(text, "DELIMITER", options.delim);
    append_option(text, "NULL", options.null_print);
    append_option(text, "QUOTE", options.quote);
    append_option(text, "ESCAPE", options.escape);
    append_name_option(text, "FORCE_NOT_NULL", options.force_notnull);
    append_name_option(text, "FORCE_NULL", options.force_null);
    append_option(
        text, "ENCODING",
        pg_encoding_to_char(is_transcoded(plan) ? ::GetDatabaseEncoding() : plan.file_encoding));
}

::DefElem* text_option(const char* name, char* value) {
    return ::makeDefElem(::pstrdup(name), reinterpret_cast<::Node*>(::makeString(value)), -1);
}

}  // namespace

std::string node_statement(const CopyPlan& plan, const ::List* columns) {
    const ::StringInfoData* built = pg::call([&]() -> const ::StringInfoData* {
        ::StringInfo text = ::makeStringInfo();
        char* schema = ::get_namespace_name(RelationGetNamespace(plan.relation));
        ::appendStringInfo(
            text, "COPY %s",
            ::quote_qualified_identifier(schema, RelationGetRelationName(plan.relation)));
        if (columns != nullptr) {
            ::appendStringInfoString(text, " (");
            append_names(text, column_names(plan.relation, columns));
            ::appendStringInfoChar(text, ')');
        }
        ::appendStringInfoString(text, " FROM STDIN WITH (");
        append_options(text, plan);
        ::appendStringInfoChar(text, ')');
        if (plan.where_text != nullptr) {
            ::appendStringInfo(text, " WHERE %s", plan.where_text);
        }
        return text;
    });
    return {built->data, static_cast<std::size_t>(built->len)};
}

::List* local_options(const CopyPlan& plan, bool with_header) {
    const ::CopyFormatOptions& from = plan.options;
    ::List* options = NIL;
    auto add = [&](const char* name, char* value) {
        options = value == nullptr ? options : ::lappend(options, text_option(name, value));
    };
    auto add_list = [&](const char* name, ::List* names) {
        if (names != nullptr) {
            options = ::lappend(
                options, ::makeDefElem(::pstrdup(name), reinterpret_cast<::Node*>(names), -1));
        }
    };
    if (from.freeze) {
        add("freeze", ::pstrdup("true"));
    }
    add("format", ::pstrdup(from.binary ? "binary" : from.csv_mode ? "csv" : "text"));
    if (from.binary) {
        return options;
    }
    add("delimiter", from.delim);
    add("null", from.null_print);
    add("quote", from.quote);
    add("escape", from.escape);
    add_list("force_not_null", from.force_notnull);
    add_list("force_null", from.force_null);
    if (with_header && from.header_line == COPY_HEADER_MATCH) {
        add("header", ::pstrdup("match"));
    }
    add("encoding", ::pstrdup(pg_encoding_to_char(is_transcoded(plan) ? ::GetDatabaseEncoding()
                                                                      : plan.file_encoding)));
    return options;
}

::List* column_names(::Relation relation, const ::List* columns) {
    ::List* names = NIL;
    const ::ListCell* cell;
    foreach (cell, columns) {
        Form_pg_attribute column = TupleDescAttr(RelationGetDescr(relation), lfirst_int(cell) - 1);
        names = ::lappend(names, ::makeString(::pstrdup(NameStr(column->attname))));
    }
    return names;
}

FieldFormat field_format(const CopyPlan& plan, int attnum) {
    FieldFormat format;
    const ::CopyFormatOptions& options = plan.options;
    if (options.binary) {
        return format;
    }
    format.csv = options.csv_mode;
    format.delimiter = options.delim[0];
    format.from_client = plan.statement->filename == nullptr;
    format.null_text = options.null_print;
    if (options.csv_mode) {
        format.quote = options.quote[0];
        format.escape = options.escape[0];
        auto lists = [&](const ::List* names) {
            return pg::call([&] {
                return names != nullptr &&
                       ::list_member_int(
                           ::CopyGetAttnums(RelationGetDescr(plan.relation), plan.relation,
                                            const_cast<::List*>(names)),
                           attnum);
            });
        };
        format.force_not_null = lists(options.force_notnull);
        format.force_null = lists(options.force_null);
    }
    return format;
}

}  // namespace herd::copy
