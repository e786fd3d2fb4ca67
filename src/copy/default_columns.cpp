#include "copy/default_columns.hpp"

#include "copy/binary_reader.hpp"

extern "C" {
#include "executor/executor.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
}

namespace herd::copy {

OutputSettings::OutputSettings()
    : date_style_(::DateStyle),
      interval_style_(::IntervalStyle),
      float_digits_(::extra_float_digits) {}

void OutputSettings::use_exact() const {
    ::DateStyle = USE_ISO_DATES;
    ::IntervalStyle = INTSTYLE_ISO_8601;
    ::extra_float_digits = float_digits_ < 1 ? 1 : float_digits_;
}

void OutputSettings::restore() const {
    ::DateStyle = date_style_;
    ::IntervalStyle = interval_style_;
    ::extra_float_digits = float_digits_;
}

void DefaultColumns::add(const CopyPlan& plan, int attnum, ::Node* expression, bool sent) {
    Column column;
    column.attnum = attnum;
    column.sent = sent;
    pg::call([&] {
        column.expression = ::ExecInitExpr(reinterpret_cast<::Expr*>(expression), nullptr);
        Oid type = TupleDescAttr(RelationGetDescr(plan.relation), attnum - 1)->atttypid;
        Oid function = InvalidOid;
        bool varlena = false;
        if (plan.options.binary) {
            ::getTypeBinaryOutputInfo(type, &function, &varlena);
        } else {
            ::getTypeOutputInfo(type, &function, &varlena);
        }
        ::fmgr_info(function, &column.output);
    });
    columns_.push_back(column);
    sent_ += sent ? 1 : 0;
}

void DefaultColumns::prepare(const CopyPlan& plan, int key) {
    context_ = pg::call([] { return ::CreateStandaloneExprContext(); });
    ::TupleDesc description = RelationGetDescr(plan.relation);
    for (int attnum = 1; attnum <= description->natts; ++attnum) {
        Form_pg_attribute attribute = TupleDescAttr(description, attnum - 1);
        if (attribute->attisdropped || attribute->attgenerated != '\0' ||
            ::list_member_int(plan.columns, attnum)) {
            continue;
        }
        has_key_ = has_key_ || attnum == key;
        bool sent = false;
        ::Node* expression = pg::call([&]() -> ::Node* {
            ::Node* found = ::build_column_default(plan.relation, attnum);
            if (found == nullptr) {
                return nullptr;
            }
            found =
                reinterpret_cast<::Node*>(::expression_planner(reinterpret_cast<::Expr*>(found)));
            sent = ::contain_mutable_functions(found);
            return found;
        });
        if (expression != nullptr && (sent || attnum == key)) {
            key_column_ = attnum == key ? static_cast<int>(columns_.size()) : key_column_;
            add(plan, attnum, expression, sent);
        }
    }
}

::List* DefaultColumns::all_columns(const CopyPlan& plan) const {
    ::List* all = NIL;
    for (const Column& column : columns_) {
        all = column.sent ? ::lappend_int(all, column.attnum) : all;
    }
    return ::list_concat_copy(all, plan.columns);
}

Datum DefaultColumns::key(bool* isnull) const {
    if (key_column_ < 0) {
        *isnull = true;
        return Datum{0};
    }
    const Column& column = columns_[static_cast<std::size_t>(key_column_)];
    *isnull = column.isnull;
    return column.value;
}

void DefaultColumns::evaluate() {
    ResetExprContext(context_);
    for (Column& column : columns_) {
        column.value = ExecEvalExprSwitchContext(column.expression, context_, &column.isnull);
    }
}

void DefaultColumns::append_text(std::string& prefix, const FieldFormat& format,
                                 const OutputSettings& settings) {
    ::MemoryContext before = ::MemoryContextSwitchTo(context_->ecxt_per_tuple_memory);
    settings.use_exact();
    bool first = true;
    for (Column& column : columns_) {
        if (!column.sent) {
            continue;
        }
        if (!first) {
            prefix += format.delimiter;
        }
        first = false;
        if (column.isnull) {
            prefix += format.null_text;
        } else {
            append_field(prefix, format, ::OutputFunctionCall(&column.output, column.value));
        }
    }
    settings.restore();
    ::MemoryContextSwitchTo(before);
}

void DefaultColumns::append_binary(std::string& prefix) {
    ::MemoryContext before = ::MemoryContextSwitchTo(context_->ecxt_per_tuple_memory);
    for (Column& column : columns_) {
        if (!column.sent) {
            continue;
        }
        if (column.isnull) {
            append_int32(prefix, -1);
            continue;
        }
        const bytea* bytes = ::SendFunctionCall(&column.output, column.value);
        append_int32(prefix, static_cast<std::int32_t>(VARSIZE(bytes) - VARHDRSZ));
        prefix.append(VARDATA(bytes), VARSIZE(bytes) - VARHDRSZ);
    }
    ::MemoryContextSwitchTo(before);
}

}  // namespace herd::copy
