// SQL functions that show deparse() and the rules of what may cross.
#include "pg/wire_types.hpp"
#include "planner/deparse.hpp"
#include "planner/shippable.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "nodes/params.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(deparse_statement);
PG_FUNCTION_INFO_V1(type_crosses);
}

namespace {

struct Elements {
    ::Datum* datums;
    bool* nulls;
    int count;
};

Elements elements_of(::ArrayType* array, Oid type) {
    Elements elements = {nullptr, nullptr, 0};
    int16 length = 0;
    bool by_value = false;
    char align = 'i';
    ::get_typlenbyvalalign(type, &length, &by_value, &align);
    ::deconstruct_array(array, type, length, by_value, align, &elements.datums, &elements.nulls,
                        &elements.count);
    return elements;
}

::ParamListInfo parameters_of(const Elements& types, const Elements& values) {
    ::ParamListInfo parameters = ::makeParamList(values.count);
    for (int i = 0; i < values.count; ++i) {
        ::ParamExternData& parameter = parameters->params[i];
        Oid input = InvalidOid;
        Oid io_parameter = InvalidOid;
        parameter.ptype = DatumGetObjectId(types.datums[i]);
        parameter.pflags = PARAM_FLAG_CONST;
        parameter.isnull = values.nulls[i];
        ::getTypeInputInfo(parameter.ptype, &input, &io_parameter);
        if (!parameter.isnull) {
            parameter.value = ::OidInputFunctionCall(input, TextDatumGetCString(values.datums[i]),
                                                     io_parameter, -1);
        }
    }
    return parameters;
}

// The value as text that names objects in full, or nullptr.
char* evaluate(::Expr* expression, ::ParamListInfo parameters) {
    ::EState* estate = ::CreateExecutorState();
    estate->es_param_list_info = parameters;
    ::ExprContext* context = GetPerTupleExprContext(estate);
    bool is_null = false;
    ::Datum value =
        ::ExecEvalExpr(::ExecInitExprWithParams(expression, parameters), context, &is_null);
    Oid output = InvalidOid;
    bool is_varlena = false;
    ::getTypeOutputInfo(::exprType(reinterpret_cast<::Node*>(expression)), &output, &is_varlena);
    int level = ::NewGUCNestLevel();
    ::set_config_option("search_path", "pg_catalog", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                        true, 0, false);
    char* text = is_null ? nullptr : ::OidOutputFunctionCall(output, value);
    ::AtEOXact_GUC(true, level);
    return text;
}

::Datum text_array(char** texts, int count) {
    auto* datums = static_cast<::Datum*>(::palloc0(sizeof(::Datum) * (count + 1)));
    auto* nulls = static_cast<bool*>(::palloc0(sizeof(bool) * (count + 1)));
    for (int i = 0; i < count; ++i) {
        nulls[i] = texts[i] == nullptr;
        datums[i] = nulls[i] ? 0 : CStringGetTextDatum(texts[i]);
    }
    int dimensions[1] = {count};
    int lower[1] = {1};
    return PointerGetDatum(count == 0 ? ::construct_empty_array(TEXTOID)
                                      : ::construct_md_array(datums, nulls, 1, dimensions, lower,
                                                             TEXTOID, -1, false, 'i'));
}

::Query* query_of(const char* statement, const Elements& types) {
    auto* raw = static_cast<::RawStmt*>(linitial(::pg_parse_query(statement)));
    auto* oids = static_cast<Oid*>(::palloc0(sizeof(Oid) * (types.count + 1)));
    for (int i = 0; i < types.count; ++i) {
        oids[i] = DatumGetObjectId(types.datums[i]);
    }
    ::List* queries =
        ::pg_analyze_and_rewrite_fixedparams(raw, statement, oids, types.count, nullptr);
    return static_cast<::Query*>(linitial(queries));
}

::Datum result_row(::FunctionCallInfo fcinfo, ::Datum* values, bool* nulls) {
    ::TupleDesc columns = nullptr;
    ::get_call_result_type(fcinfo, nullptr, &columns);
    return ::HeapTupleGetDatum(::heap_form_tuple(::BlessTupleDesc(columns), values, nulls));
}

}  // namespace

extern "C" PGDLLEXPORT Datum deparse_statement(PG_FUNCTION_ARGS) {
    char* statement = ::text_to_cstring(PG_GETARG_TEXT_PP(0));
    Elements types = elements_of(PG_GETARG_ARRAYTYPE_P(1), REGTYPEOID);
    Elements given = elements_of(PG_GETARG_ARRAYTYPE_P(2), TEXTOID);
    ::Query* query = query_of(statement, types);
    auto* before = static_cast<::Query*>(copyObjectImpl(query));
    herd::planner::RemoteText remote = herd::planner::deparse(query, "");
    if (!::equal(before, query)) {
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("deparse() has modified the tree"));
    }
    ::ParamListInfo parameters = parameters_of(types, given);
    int count = ::list_length(remote.parameters);
    auto** names = static_cast<char**>(::palloc0(sizeof(char*) * (count + 1)));
    auto** texts = static_cast<char**>(::palloc0(sizeof(char*) * (count + 1)));
    for (int i = 0; i < count; ++i) {
        auto* expression = static_cast<::Expr*>(::list_nth(remote.parameters, i));
        Oid type = ::exprType(reinterpret_cast<::Node*>(expression));
        names[i] = type >= FirstNormalObjectId ? ::pstrdup("unknown") : ::format_type_be(type);
        texts[i] = evaluate(expression, parameters);
    }
    const char* reason = herd::planner::why_not_shippable(reinterpret_cast<::Node*>(query), false);
    ::Datum values[4] = {CStringGetTextDatum(remote.text), text_array(names, count),
                         text_array(texts, count),
                         reason == nullptr ? 0 : CStringGetTextDatum(reason)};
    bool nulls[4] = {false, false, false, reason == nullptr};
    PG_RETURN_DATUM(result_row(fcinfo, values, nulls));
}

extern "C" PGDLLEXPORT Datum type_crosses(PG_FUNCTION_ARGS) {
    Oid type = PG_GETARG_OID(0);
    ::Datum values[3] = {BoolGetDatum(herd::pg::has_local_value_type(type)),
                         BoolGetDatum(herd::pg::crosses_by_name(type)),
                         BoolGetDatum(herd::pg::binary_is_portable(type))};
    bool nulls[3] = {false, false, false};
    PG_RETURN_DATUM(result_row(fcinfo, values, nulls));
}
