// A batch of changes: one statement, its rows, and what comes back.
#include <algorithm>

#include "executor/as_role.hpp"
#include "executor/modify_router.hpp"
#include "pg/failpoint.hpp"
#include "pg/server_encoding.hpp"

extern "C" {
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
}

namespace herd::executor {

void ModifyRouter::flush(Batch& batch) {
    pg::check_interrupts();
    HERD_FAILPOINT("modify.before_batch");
    const ModifyAction& what = action(batch);
    batch.returning = plan_.returns || batch.leaves;
    batch.inserted = 0;
    if (batch.leaves) {
        check_references(batch);
    }
    std::string text = text_.text(what, static_cast<int>(batch.changes.size()), batch.returning);
    if (batch.node == self_ || batch.node == kEveryone) {
        run_here(batch, text);
    }
    if (batch.node == kEveryone) {
        send(batch, text, everyone_);
        collect(batch);
    } else if (batch.node != self_) {
        send(batch, text, {batch.node});
    }
}

namespace {

Datum name_of_table(Oid relid) {
    return CStringGetTextDatum(::quote_qualified_identifier(
        ::get_namespace_name(::get_rel_namespace(relid)), ::get_rel_name(relid)));
}

OwnParameter value_of(::TupleTableSlot* change, const ModifyText::Parameter& parameter) {
    Datum value = change->tts_values[parameter.source - 1];
    bool isnull = change->tts_isnull[parameter.source - 1];
    return {parameter.type, parameter.table ? name_of_table(DatumGetObjectId(value)) : value,
            isnull};
}

}  // namespace

// The values point into the changes.
std::vector<OwnParameter> ModifyRouter::parameters_of(const Batch& batch) {
    std::vector<ModifyText::Parameter> wanted = text_.parameters(action(batch));
    std::vector<OwnParameter> values;
    values.reserve(wanted.size() * batch.changes.size());
    for (::MinimalTuple change : batch.changes) {
        pg::call([&] {
            ::ExecStoreMinimalTuple(change, scratch_, false);
            slot_getallattrs(scratch_);
        });
        for (const ModifyText::Parameter& parameter : wanted) {
            values.push_back(pg::call([&] { return value_of(scratch_, parameter); }));
        }
    }
    return values;
}

void ModifyRouter::run_here(Batch& batch, const std::string& text) {
    ::MemoryContext old = MemoryContextSwitchTo(batch.memory);
    std::vector<OwnParameter> values = parameters_of(batch);
    ::Tuplestorestate* rows = nullptr;
    if (batch.returning) {
        rows = pg::call([&] { return ::tuplestore_begin_heap(false, false, work_mem); });
    }
    std::uint64_t processed = run_on_own_rows(text, values, plan_.role, rows);
    if (rows != nullptr) {
        ::TupleTableSlot* row =
            pg::call([&] { return ::MakeSingleTupleTableSlot(answer_, &TTSOpsMinimalTuple); });
        while (pg::call([&] { return ::tuplestore_gettupleslot(rows, true, false, row); })) {
            pg::call([&] { slot_getallattrs(row); });
            accept(batch, DatumGetInt32(row->tts_values[0]), row->tts_values, row->tts_isnull);
        }
        pg::call([&] {
            ::ExecDropSingleTupleTableSlot(row);
            ::tuplestore_end(rows);
        });
    }
    MemoryContextSwitchTo(old);
    if (batch.node == self_) {
        end_batch(batch, processed);
    } else {
        affected_ += processed;
        batch.returning = false;  // every node returns the same rows
    }
}

void ModifyRouter::send(Batch& batch, const std::string& text, const std::vector<NodeId>& nodes) {
    ::MemoryContext old = MemoryContextSwitchTo(batch.memory);
    ParameterSet values;
    for (const OwnParameter& parameter : parameters_of(batch)) {
        values.add(parameter.type, parameter.value, parameter.isnull);
    }
    transaction::Statement statement;
    statement.text = text.c_str();
    statement.parameters = values.view();
    statement.binary = binary_;
    statement.writes = true;
    // Rows that are changed have been read there in that snapshot; new ones may come to any node.
    // Either is a change of the statement itself, for other parts of it.
    statement.fragment = action(batch).command == CMD_INSERT ? statement_ : 0 - statement_;
    {
        AsRole as(plan_.role);
        for (NodeId node : nodes) {
            transaction::link_to(node).send(statement, this);
        }
    }
    batch.in_flight = true;  // not before: sending makes earlier batches on the link come in
    MemoryContextSwitchTo(old);
}

void ModifyRouter::collect(Batch& batch) {
    if (!batch.in_flight) {
        return;
    }
    batch.in_flight = false;
    std::uint64_t rows = 0;
    const std::vector<NodeId> one = {batch.node};
    auto columns = static_cast<std::size_t>(answer_->natts);
    std::vector<Datum> values(columns);
    auto nulls = std::make_unique<bool[]>(columns);
    for (NodeId node : batch.node == kEveryone ? everyone_ : one) {
        transaction::Link& link = transaction::link_to(node);
        while (remote::Result result = link.receive()) {
            for (int row = 0; batch.returning && row < ::PQntuples(result.get()); ++row) {
                pg::ServerEncoding encoding;
                pg::call([&] {
                    ::MemoryContext old = MemoryContextSwitchTo(batch.memory);
                    reader_.read(result.get(), row, values.data(), nulls.get());
                    MemoryContextSwitchTo(old);
                });
                accept(batch, DatumGetInt32(values[0]), values.data(), nulls.get());
            }
            if (::PQresultStatus(result.get()) != PGRES_SINGLE_TUPLE) {
                rows += std::strtoull(::PQcmdTuples(result.get()), nullptr, 10);
            }
        }
    }
    end_batch(batch, rows);
}

void ModifyRouter::accept(Batch& batch, int number, const Datum* values, const bool* nulls) {
    const ModifyAction& what = action(batch);
    auto position =
        static_cast<std::size_t>(what.command == CMD_INSERT ? batch.inserted++ : number);
    ::MinimalTuple change = batch.changes.at(position);
    pg::call([&] {
        ::MemoryContext old = MemoryContextSwitchTo(memory_);
        ::Tuplestorestate*& store = batch.leaves ? moved_ : returned_;
        if (store == nullptr) {
            store = ::tuplestore_begin_heap(false, false, work_mem);
        }
        ::ExecStoreMinimalTuple(change, scratch_, false);
        if (batch.leaves) {
            ::tuplestore_puttupleslot(store, scratch_);
        } else {
            slot_getallattrs(scratch_);
            for (int i = 0; i < ::list_length(plan_.result_sources); ++i) {
                int column = list_nth_int(plan_.result_sources, i) - 1;
                scratch_->tts_values[column] = values[i + 1];
                scratch_->tts_isnull[column] = nulls[i + 1];
            }
            tuplestore_putvalues(store, changes_, scratch_->tts_values, scratch_->tts_isnull);
        }
        ::ExecClearTuple(scratch_);
        MemoryContextSwitchTo(old);
    });
}

void ModifyRouter::end_batch(Batch& batch, std::uint64_t rows) {
    std::uint64_t expected =
        batch.changes.size() *
        std::max<std::size_t>(1, batch.node == kEveryone ? everyone_.size() : 1);
    if (rows != expected && !plan_.suppresses) {
        throw Error(SqlState{"40001"}, "could not serialize access due to concurrent update")
            .detail("A row of table " + text_.table() + " is not any more as it was read.")
            .hint("Run the transaction again.");
    }
    if (!batch.leaves && batch.node != kEveryone) {
        affected_ += rows;
    }
    batch.changes.clear();
    pg::call([&] {
        ::ExecClearTuple(scratch_);
        ::MemoryContextReset(batch.memory);
    });
}

void ModifyRouter::check_references(const Batch& batch) {
    if (!knows_references_) {
        references_ = references_to(plan_.relid);
        knows_references_ = true;
    }
    if (references_.empty()) {
        return;
    }
    std::string places;
    for (::MinimalTuple change : batch.changes) {
        const char* place = pg::call([&] {
            ::ExecStoreMinimalTuple(change, scratch_, false);
            slot_getallattrs(scratch_);
            return ::psprintf(
                "('%s'::tid, %s::regclass::oid)",
                DatumGetCString(DirectFunctionCall1(tidout, scratch_->tts_values[plan_.row - 1])),
                ::quote_literal_cstr(TextDatumGetCString(
                    name_of_table(DatumGetObjectId(scratch_->tts_values[plan_.table - 1])))));
        });
        places += (places.empty() ? "" : ", ") + std::string(place);
    }
    bool here = batch.node == self_ || batch.node == kEveryone;
    require_unreferenced(references_, here ? std::nullopt : std::optional(batch.node), places);
}

void ModifyRouter::spool() {
    for (auto& [key, batch] : batches_) {
        collect(batch);
    }
}

}  // namespace herd::executor
