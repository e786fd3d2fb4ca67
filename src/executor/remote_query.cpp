#include "executor/remote_query.hpp"

#include <algorithm>
#include <utility>

#include "pg/counters.hpp"
#include "pg/server_encoding.hpp"

extern "C" {
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "tcop/pquery.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
}

namespace herd::executor {

RemoteQuery::RemoteQuery(const RemotePlan& plan, ::TupleDesc description)
    : plan_(plan),
      description_(description),
      reader_(description, plan.binary),
      memory_(CurrentMemoryContext),
      owner_(CurrentResourceOwner) {}

RemoteQuery::~RemoteQuery() {
    leave();
}

void RemoteQuery::reset() {
    for (Source& source : sources_) {
        if (::Tuplestorestate* store = std::exchange(source.store, nullptr)) {
            pg::call([&] { ::tuplestore_end(store); });
        }
    }
    leave();
}

// The nodes' answers, if any are still to come, are nobody's.
void RemoteQuery::leave() noexcept {
    for (Source& source : sources_) {
        auto found = transaction::session_links().find(source.node);
        if (found != transaction::session_links().end() && found->second.get() == source.link) {
            source.link->abandon(this);
        }
    }
    sources_.clear();
    affected_ = 0;
    started_ = false;
    checked_ = false;
}

void RemoteQuery::prepare_sort() {
    sort_count_ = ::list_length(plan_.sort);
    pg::call([&] {
        ::MemoryContext old = MemoryContextSwitchTo(memory_);
        sort_keys_ = static_cast<::SortSupportData*>(
            ::palloc0(sizeof(::SortSupportData) * static_cast<Size>(sort_count_)));
        for (int i = 0; i < sort_count_; ++i) {
            auto* column = static_cast<::List*>(::list_nth(plan_.sort, i));
            ::SortSupport key = &sort_keys_[i];
            key->ssup_cxt = memory_;
            key->ssup_attno = static_cast<::AttrNumber>(list_nth_int(column, 0));
            key->ssup_collation = static_cast<Oid>(list_nth_int(column, 2));
            key->ssup_nulls_first = list_nth_int(column, 3) != 0;
            ::PrepareSortSupportFromOrderingOp(static_cast<Oid>(list_nth_int(column, 1)), key);
        }
        MemoryContextSwitchTo(old);
    });
}

void RemoteQuery::start(const std::vector<NodeId>& nodes, const ParameterSet& parameters, bool lone,
                        std::uint64_t fragment) {
    reset();
    nodes_ = nodes;
    started_ = true;
    if (nodes.empty()) {
        return;
    }
    transaction::open_links(nodes);
    if (plan_.sort != NIL && nodes.size() > 1 && sort_keys_ == nullptr) {
        prepare_sort();
    }
    transaction::Statement statement;
    statement.text = plan_.text;
    statement.plan_id = number_if_repeated(plan_.plan_id);
    statement.parameters = parameters.view();
    statement.binary = plan_.binary;
    statement.writes = plan_.writes;
    statement.few_rows = plan_.few_rows;
    statement.lone = lone;
    // A cursor's rows are as they were when it was opened.
    bool from_cursor = ::ActivePortal != nullptr && ::ActivePortal->name[0] != '\0';
    statement.repeatable = plan_.repeatable && !from_cursor;
    statement.fragment = fragment;
    sources_.reserve(nodes.size());
    for (NodeId node : nodes) {
        Source source;
        source.node = node;
        source.link = &transaction::link_to(node);
        pg::call([&] {
            source.memory = AllocSetContextCreate(memory_, "herd row", ALLOCSET_SMALL_SIZES);
            auto columns = static_cast<Size>(description_->natts) + 1;
            source.values =
                static_cast<Datum*>(::MemoryContextAllocZero(memory_, sizeof(Datum) * columns));
            source.nulls = static_cast<bool*>(::MemoryContextAllocZero(memory_, columns));
        });
        source.link->send(statement, this);
        sources_.push_back(std::move(source));
    }
}

void RemoteQuery::take_command(const PGresult* result) {
    const char* rows = ::PQcmdTuples(const_cast<PGresult*>(result));
    if (*rows != '\0') {
        affected_ += std::strtoull(rows, nullptr, 10);
    }
}

bool RemoteQuery::next_result(Source& source) {
    while (true) {
        source.result = source.link->receive();
        source.row = 0;
        if (!source.result) {
            source.arrived = true;
            return false;
        }
        ExecStatusType status = ::PQresultStatus(source.result.get());
        if (plan_.writes && (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)) {
            take_command(source.result.get());
        }
        if (::PQntuples(source.result.get()) > 0) {
            if (!checked_) {
                reader_.check(source.result.get());
                checked_ = true;
            }
            return true;
        }
    }
}

bool RemoteQuery::fetch(Source& source) {
    if (source.done) {
        return false;
    }
    if (source.store != nullptr) {
        bool found = pg::call([&] {
            if (store_slot_ == nullptr) {
                ::MemoryContext old = MemoryContextSwitchTo(memory_);
                store_slot_ = ::MakeSingleTupleTableSlot(description_, &TTSOpsMinimalTuple);
                MemoryContextSwitchTo(old);
            }
            if (!::tuplestore_gettupleslot(source.store, true, true, store_slot_)) {
                return false;
            }
            ::slot_getallattrs(store_slot_);
            ::MemoryContextReset(source.memory);
            ::MemoryContext old = MemoryContextSwitchTo(source.memory);
            for (int i = 0; i < description_->natts; ++i) {
                ::Form_pg_attribute attribute = TupleDescAttr(description_, i);
                source.nulls[i] = store_slot_->tts_isnull[i];
                source.values[i] = source.nulls[i]
                                       ? Datum{0}
                                       : ::datumCopy(store_slot_->tts_values[i],
                                                     attribute->attbyval, attribute->attlen);
            }
            MemoryContextSwitchTo(old);
            return true;
        });
        source.done = !found;
        return found;
    }
    if ((!source.result || source.row >= ::PQntuples(source.result.get())) &&
        (source.arrived || !next_result(source))) {
        source.done = true;
        return false;
    }
    pg::ServerEncoding encoding;
    pg::call([&] {
        ::MemoryContextReset(source.memory);
        ::MemoryContext old = MemoryContextSwitchTo(source.memory);
        reader_.read(source.result.get(), source.row, source.values, source.nulls);
        MemoryContextSwitchTo(old);
    });
    ++source.row;
    return true;
}

// Whoever has a row at once; else the first that may still have one.
RemoteQuery::Source* RemoteQuery::pick_any() {
    for (bool wait : {false, true}) {
        for (Source& source : sources_) {
            if (source.done) {
                continue;
            }
            bool at_once = wait || sources_.size() == 1 || source.store != nullptr ||
                           source.arrived ||
                           (source.result && source.row < ::PQntuples(source.result.get())) ||
                           source.link->has_result_ready();
            if (at_once && fetch(source)) {
                return &source;
            }
        }
    }
    return nullptr;
}

bool RemoteQuery::comes_before(const Source& left, const Source& right) const {
    for (int i = 0; i < sort_count_; ++i) {
        ::SortSupport key = &sort_keys_[i];
        int column = key->ssup_attno - 1;
        int order = ::ApplySortComparator(left.values[column], left.nulls[column],
                                          right.values[column], right.nulls[column], key);
        if (order != 0) {
            return order < 0;
        }
    }
    return false;
}

RemoteQuery::Source* RemoteQuery::pick_smallest() {
    Source* smallest = nullptr;
    for (Source& source : sources_) {
        if (!source.holds_row) {
            source.holds_row = fetch(source);
        }
        if (source.holds_row &&
            (smallest == nullptr || pg::call([&] { return comes_before(source, *smallest); }))) {
            smallest = &source;
        }
    }
    if (smallest != nullptr) {
        smallest->holds_row = false;
    }
    return smallest;
}

bool RemoteQuery::next(::TupleTableSlot* slot) {
    Source* source = sort_keys_ != nullptr && sources_.size() > 1 ? pick_smallest() : pick_any();
    ::ExecClearTuple(slot);
    if (source == nullptr) {
        return false;
    }
    for (int i = 0; i < description_->natts; ++i) {
        slot->tts_values[i] = source->values[i];
        slot->tts_isnull[i] = source->nulls[i];
    }
    ::ExecStoreVirtualTuple(slot);
    return true;
}

void RemoteQuery::finish() {
    for (Source& source : sources_) {
        while (!source.arrived && next_result(source)) {
        }
        source.done = true;
    }
}

void RemoteQuery::spool_source(Source& source) {
    if (source.arrived || source.store != nullptr) {
        return;
    }
    ::Tuplestorestate* store = pg::call([&] {
        ::ResourceOwner old_owner = CurrentResourceOwner;
        CurrentResourceOwner = owner_;
        ::MemoryContext old = MemoryContextSwitchTo(memory_);
        ::Tuplestorestate* made = ::tuplestore_begin_heap(false, false, work_mem);
        MemoryContextSwitchTo(old);
        CurrentResourceOwner = old_owner;
        return made;
    });
    std::vector<Datum> values(static_cast<std::size_t>(description_->natts) + 1);
    auto nulls = std::make_unique<bool[]>(static_cast<std::size_t>(description_->natts) + 1);
    ::MemoryContext scratch = pg::call(
        [&] { return AllocSetContextCreate(memory_, "herd spool", ALLOCSET_SMALL_SIZES); });
    while ((source.result && source.row < ::PQntuples(source.result.get())) ||
           (!source.arrived && next_result(source))) {
        pg::ServerEncoding encoding;
        pg::call([&] {
            ::MemoryContext old = MemoryContextSwitchTo(scratch);
            reader_.read(source.result.get(), source.row, values.data(), nulls.get());
            ::ResourceOwner old_owner = CurrentResourceOwner;
            CurrentResourceOwner = owner_;
            tuplestore_putvalues(store, description_, values.data(), nulls.get());
            CurrentResourceOwner = old_owner;
            MemoryContextSwitchTo(old);
            ::MemoryContextReset(scratch);
        });
        ++source.row;
    }
    pg::call([&] { ::MemoryContextDelete(scratch); });
    source.result.reset();
    source.store = store;
}

void RemoteQuery::spool() {
    for (Source& source : sources_) {
        spool_source(source);
    }
}

}  // namespace herd::executor
