#include "planner/insert_divide.hpp"

#include "executor/remote_scan.hpp"
#include "pg/guard.hpp"
#include "pg/server_encoding.hpp"
#include "routing/row_packing.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"
}

namespace herd::planner {

namespace {

// The source of the rows: a remote scan, perhaps under a projection.
struct Source {
    const ::List* outputs = nullptr;     // of TargetEntry: what the INSERT gets
    const ::CustomScan* scan = nullptr;  // nullptr: something else
};

bool is_plain_scan(const ::Plan* plan) {
    if (plan == nullptr || !IsA(plan, CustomScan)) {
        return false;
    }
    auto* scan = reinterpret_cast<const ::CustomScan*>(plan);
    // A text with a mark returns something else than it says.
    return scan->methods == executor::remote_scan_methods() && plan->qual == NIL &&
           executor::from_list(scan->custom_private).text[0] != '/';
}

Source find_source(const ::Plan* plan) {
    Source source;
    source.outputs = plan->targetlist;
    if (IsA(plan, Result)) {
        auto* result = reinterpret_cast<const ::Result*>(plan);
        if (result->resconstantqual != nullptr || plan->qual != NIL) {
            return source;
        }
        plan = plan->lefttree;
    }
    if (is_plain_scan(plan)) {
        source.scan = reinterpret_cast<const ::CustomScan*>(plan);
    }
    return source;
}

bool is_text(Oid type) {
    return type == TEXTOID || type == VARCHAROID;
}

// Without what changes nothing of a value's bytes: a node's COPY checks domains itself.
const ::Node* bare(const ::Node* value) {
    while (true) {
        if (IsA(value, CoerceToDomain)) {
            auto* domain = reinterpret_cast<const ::CoerceToDomain*>(value);
            value = reinterpret_cast<const ::Node*>(domain->arg);
        } else if (IsA(value, RelabelType)) {
            auto* relabel = reinterpret_cast<const ::RelabelType*>(value);
            auto* inner = reinterpret_cast<::Node*>(relabel->arg);
            Oid from = ::getBaseType(::exprType(inner));
            Oid to = ::getBaseType(relabel->resulttype);
            if (from != to && !(is_text(from) && is_text(to))) {
                return value;
            }
            value = inner;
        } else {
            return value;
        }
    }
}

// The field that an expression is: a Var of the scan's columns, or a Const; nullptr: neither.
const ::Node* field_of(const ::Node* value, const Source& source) {
    value = bare(value);
    if (IsA(value, Var) && reinterpret_cast<const ::Var*>(value)->varno == OUTER_VAR) {
        int column = reinterpret_cast<const ::Var*>(value)->varattno;
        auto* entry =
            static_cast<::TargetEntry*>(::list_nth(source.scan->scan.plan.targetlist, column - 1));
        value = bare(reinterpret_cast<::Node*>(entry->expr));
    }
    bool is_column = IsA(value, Var) && reinterpret_cast<const ::Var*>(value)->varno == INDEX_VAR &&
                     reinterpret_cast<const ::Var*>(value)->varattno > 0;
    return is_column || IsA(value, Const) ? value : nullptr;
}

// In the order of the columns that are sent; NIL if one is neither a column nor a constant.
::List* fields_of(const Source& source, const executor::InsertPlan& plan) {
    ::List* fields = NIL;
    for (int i = 0; i < ::list_length(plan.columns); ++i) {
        int column = list_nth_int(plan.columns, i);
        if (column > ::list_length(source.outputs)) {
            return NIL;
        }
        auto* entry = static_cast<::TargetEntry*>(::list_nth(source.outputs, column - 1));
        const ::Node* field = field_of(reinterpret_cast<::Node*>(entry->expr), source);
        if (field == nullptr || (column == plan.key && !IsA(field, Var))) {
            return NIL;
        }
        fields = ::lappend(fields, const_cast<::Node*>(field));
    }
    return fields;
}

routing::PackedField packed(const ::Node* field) {
    if (IsA(field, Var)) {
        return {reinterpret_cast<const ::Var*>(field)->varattno, false, {}};
    }
    auto* constant = reinterpret_cast<const ::Const*>(field);
    if (constant->constisnull) {
        return {};
    }
    pg::ServerEncoding encoding;
    const ::bytea* bytes = pg::call([&] {
        Oid function = InvalidOid;
        bool is_varlena = false;
        ::getTypeBinaryOutputInfo(constant->consttype, &function, &is_varlena);
        return ::OidSendFunctionCall(function, constant->constvalue);
    });
    return {0, true, {VARDATA(bytes), VARSIZE(bytes) - VARHDRSZ}};
}

char* text_of(const ::List* fields) {
    return pg::enter("planner", [&] {
        std::vector<routing::PackedField> all;
        for (int i = 0; i < ::list_length(fields); ++i) {
            all.push_back(packed(static_cast<const ::Node*>(::list_nth(fields, i))));
        }
        std::string text = routing::text_of_fields(all);
        return pg::call([&] { return ::pstrdup(text.c_str()); });
    });
}

}  // namespace

void divide_by_nodes(const ::ModifyTable* modify, const catalog::Table& target,
                     executor::InsertPlan& plan) {
    // The nodes know no collation by this server's number; all but these hash alike.
    bool hashes_alike =
        plan.key_collation == InvalidOid || ::get_collation_isdeterministic(plan.key_collation);
    if (plan.copy == nullptr || !hashes_alike) {
        return;
    }
    Source source = find_source(outerPlan(modify));
    ::List* fields = source.scan == nullptr ? NIL : fields_of(source, plan);
    if (fields != NIL) {
        plan.fields = text_of(fields);
        plan.epoch = target.group == nullptr ? 0 : target.group->epoch.value;
    }
}

}  // namespace herd::planner
