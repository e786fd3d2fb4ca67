#include "executor/modify_text.hpp"

#include "executor/checked_statement.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/heap.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
}

namespace herd::executor {

namespace {

const char* qualified_name(Oid relid) {
    return ::quote_qualified_identifier(::get_namespace_name(::get_rel_namespace(relid)),
                                        ::get_rel_name(relid));
}

const char* cast_to(Oid type) {
    return type < FirstNormalObjectId ? "" : ::psprintf("::%s", ::format_type_be_qualified(type));
}

// The type's equality, as SQL.
const char* equality_of(Oid type) {
    Oid found = ::lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
    ::HeapTuple tuple = ::SearchSysCache1(OPEROID, ObjectIdGetDatum(found));
    if (!HeapTupleIsValid(tuple)) {
        elog(ERROR, "no equality for type %u", type);
    }
    auto* row = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
    const char* text =
        ::psprintf("OPERATOR(%s.%s)", ::quote_identifier(::get_namespace_name(row->oprnamespace)),
                   NameStr(row->oprname));
    ::ReleaseSysCache(tuple);
    return text;
}

}  // namespace

ModifyText::ModifyText(const ModifyPlan& plan, ::TupleDesc changes)
    : plan_(plan), changes_(changes) {
    table_ = pg::call([&] { return qualified_name(plan.relid); });
    partitioned_ = pg::call([&] { return ::has_subclass(plan.relid); });
    ::Relation relation = pg::call([&] { return ::table_open(plan.relid, NoLock); });
    ::TupleDesc description = RelationGetDescr(relation);
    for (int i = 0; i < description->natts; ++i) {
        columns_.emplace_back(pg::call(
            [&] { return ::quote_identifier(NameStr(TupleDescAttr(description, i)->attname)); }));
    }
    pg::call([&] { ::table_close(relation, NoLock); });
    for (int i = 0; i < changes->natts; ++i) {
        casts_.emplace_back(pg::call([&] { return cast_to(TupleDescAttr(changes, i)->atttypid); }));
    }
    for (int i = 0; !plan.by_row && i < ::list_length(plan.identity); ++i) {
        Oid type = TupleDescAttr(changes, list_nth_int(plan.identity_sources, i) - 1)->atttypid;
        identity_.push_back("t." + name_of(list_nth_int(plan.identity, i)) + ' ' +
                            pg::call([&] { return equality_of(type); }) + " v.k" +
                            std::to_string(i + 1));
    }
}

std::string ModifyText::name_of(int column) const {
    if (column == TableOidAttributeNumber) {
        return "tableoid::pg_catalog.regclass";  // by its name: numbers differ from server to
                                                 // server
    }
    if (column < 0) {
        return NameStr(::SystemAttributeDefinition(static_cast<::AttrNumber>(column))->attname);
    }
    return columns_.at(static_cast<std::size_t>(column) - 1);
}

std::vector<ModifyText::Parameter> ModifyText::parameters(const ModifyAction& action) const {
    std::vector<Parameter> list;
    auto add = [&](int source) {
        Oid type = TupleDescAttr(changes_, source - 1)->atttypid;
        list.push_back({source, type});
    };
    if (action.command != CMD_INSERT) {
        if (plan_.identity == NIL) {
            add(plan_.row);
            if (partitioned_) {
                list.push_back({plan_.table, TEXTOID, true});
            }
        }
        for (int i = 0; i < ::list_length(plan_.identity_sources); ++i) {
            add(list_nth_int(plan_.identity_sources, i));
        }
    }
    for (int i = 0; i < ::list_length(action.sources); ++i) {
        add(list_nth_int(action.sources, i));
    }
    return list;
}

std::string ModifyText::values(const ModifyAction& action, int rows, bool numbered) const {
    std::vector<Parameter> list = parameters(action);
    std::string text = "VALUES ";
    int number = 0;
    for (int row = 0; row < rows; ++row) {
        std::string line = numbered ? std::to_string(row) : "";
        for (const Parameter& parameter : list) {
            line += (line.empty() ? "$" : ", $") + std::to_string(++number);
            line += parameter.table ? "::pg_catalog.regclass"
                                    : casts_[static_cast<std::size_t>(parameter.source) - 1];
        }
        text += (row == 0 ? "(" : ", (") + line + ')';
    }
    return text;
}

std::string ModifyText::condition() const {
    if (plan_.identity == NIL || plan_.by_row) {
        return std::string("t.ctid OPERATOR(pg_catalog.=) v.place") +
               (partitioned_ || plan_.by_row ? " AND t.tableoid OPERATOR(pg_catalog.=) v.part"
                                             : "");
    }
    std::string text;
    for (const std::string& equal : identity_) {
        text += (text.empty() ? "" : " AND ") + equal;
    }
    return text;
}

std::string ModifyText::names_of_values(const ModifyAction& action, bool numbered) const {
    std::string list = numbered ? ", n" : "";
    if (plan_.identity == NIL) {
        list += partitioned_ ? ", place, part" : ", place";
    }
    for (int i = 1; i <= ::list_length(plan_.identity); ++i) {
        list += ", k" + std::to_string(i);
    }
    for (int i = 1; i <= ::list_length(action.columns); ++i) {
        list += ", c" + std::to_string(i);
    }
    return list.substr(2);
}

std::string ModifyText::returned(bool numbered) const {
    std::string text = numbered ? " RETURNING v.n" : " RETURNING 0";
    for (int i = 0; i < ::list_length(plan_.results); ++i) {
        text += ", t." + name_of(list_nth_int(plan_.results, i));
    }
    return text;
}

// Triggers on columns fire for every UPDATE of a MERGE if one of them assigns such a column.
std::string ModifyText::assigned_elsewhere(const ModifyAction& action) const {
    std::string text;
    ::List* seen = action.columns;
    for (int i = 0; i < ::list_length(plan_.actions); ++i) {
        const auto& other = *static_cast<ModifyAction*>(::list_nth(plan_.actions, i));
        for (int c = 0; other.command == CMD_UPDATE && c < ::list_length(other.columns); ++c) {
            int column = list_nth_int(other.columns, c);
            if (!::list_member_int(seen, column)) {
                text += ", " + name_of(column) + " = t." + name_of(column);
                seen = pg::call([&] { return ::lappend_int(::list_copy(seen), column); });
            }
        }
    }
    return text;
}

std::string ModifyText::source(const ModifyAction& action, int rows, bool numbered) const {
    std::string list = "(" + values(action, rows, numbered) + ") AS ";
    std::string names = "(" + names_of_values(action, numbered) + ")";
    return plan_.by_row ? found_rows(list + "u" + names) : list + "v" + names;
}

std::string ModifyText::found_rows(const std::string& source) const {
    std::string wanted;
    std::string stored;
    for (int i = 0; i < ::list_length(plan_.identity); ++i) {
        wanted += (i == 0 ? "u.k" : ", u.k") + std::to_string(i + 1);
        stored += (i == 0 ? "r." : ", r.") + name_of(list_nth_int(plan_.identity, i));
    }
    // Any type has a text, not every one an equality.
    auto numbered = [](const std::string& row, const std::string& columns,
                       const std::string& from) {
        std::string text = "ROW(" + row + ")::pg_catalog.text";
        return "(SELECT " + columns + ", " + text +
               " AS herd_row, pg_catalog.row_number() OVER (PARTITION BY " + text +
               ") AS herd_rank FROM " + from + ")";
    };
    return "(SELECT w.*, s.place, s.part FROM " + numbered(wanted, "u.*", source) + " AS w JOIN " +
           numbered(stored, "r.ctid AS place, r.tableoid AS part", table_ + " AS r") +
           " AS s ON s.herd_row OPERATOR(pg_catalog.=) w.herd_row AND s.herd_rank "
           "OPERATOR(pg_catalog.=) w.herd_rank) AS v";
}

std::string ModifyText::text(const ModifyAction& action, int rows, bool returning) const {
    std::string mark = plan_.checked ? std::string(kCheckedMark) + ' ' : "";
    std::string assigned;
    std::string names;
    for (int i = 0; i < ::list_length(action.columns); ++i) {
        std::string name = name_of(list_nth_int(action.columns, i));
        names += (i == 0 ? "" : ", ") + name;
        assigned += (i == 0 ? "" : ", ") + name + " = v.c" + std::to_string(i + 1);
    }
    if (action.command == CMD_INSERT) {
        std::string source = names.empty() ? " DEFAULT VALUES"
                                           : " (" + names + ") OVERRIDING SYSTEM VALUE " +
                                                 values(action, rows, false);
        return mark + "INSERT INTO " + table_ + " AS t" + source +
               (returning ? returned(false) : "");
    }
    std::string head = action.command == CMD_UPDATE ? "UPDATE " + table_ + " AS t SET " + assigned +
                                                          assigned_elsewhere(action) + " FROM "
                                                    : "DELETE FROM " + table_ + " AS t USING ";
    return mark + head + source(action, rows, returning) + " WHERE " + condition() +
           (returning ? returned(true) : "");
}

}  // namespace herd::executor
