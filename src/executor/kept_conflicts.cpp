#include "executor/kept_conflicts.hpp"

#include <algorithm>
#include <memory>

#include "executor/fragment_snapshot.hpp"
#include "executor/row_codec.hpp"
#include "transaction/endpoint.hpp"
#include "transaction/internal.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"
}

namespace herd::executor {

namespace {

constexpr int kColumns = 5;

::TupleDesc describe_conflicts(Oid row_type) {
    ::TupleDesc description = ::CreateTemplateTupleDesc(kColumns);
    const Oid types[kColumns] = {INT4OID, TIDOID, REGCLASSOID, row_type, row_type};
    for (int i = 0; i < kColumns; ++i) {
        ::TupleDescInitEntry(description, static_cast<::AttrNumber>(i + 1), "", types[i], -1, 0);
    }
    return description;
}

class Store;

// The open ones, the innermost last.
std::vector<Store*>& open_stores() {
    static auto& stores = *new std::vector<Store*>;
    return stores;
}

// Lives in a memory context below the subtransaction's.
class Store {
public:
    Store(std::int64_t plan, std::int64_t statement, ::MemoryContext memory)
        : plan_(plan), statement_(statement), memory_(memory) {
        open_stores().push_back(this);
    }
    ~Store() {
        std::vector<Store*>& stores = open_stores();
        stores.erase(std::remove(stores.begin(), stores.end(), this), stores.end());
    }
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    [[nodiscard]] bool is_of(std::int64_t plan, std::int64_t statement) const {
        return plan_ == plan && statement_ == statement;
    }
    [[nodiscard]] ::MemoryContext memory() const { return memory_; }
    [[nodiscard]] std::uint64_t execution() const { return execution_; }

    void add(Oid row_type, Datum* values) {
        pg::call([&] {
            describe(row_type);
            bool nulls[kColumns] = {};
            tuplestore_putvalues(rows_, description_, values, nulls);
        });
    }
    // PostgreSQL style.
    void copy_to(::ReturnSetInfo* result) {
        if (rows_ == nullptr) {
            return;
        }
        for (int i = 0; i < kColumns; ++i) {
            if (result->setDesc->natts != kColumns ||
                TupleDescAttr(result->setDesc, i)->atttypid !=
                    TupleDescAttr(description_, i)->atttypid) {
                elog(ERROR, "kept conflicts have other columns");
            }
        }
        ::TupleTableSlot* row = ::MakeSingleTupleTableSlot(description_, &TTSOpsMinimalTuple);
        ::tuplestore_rescan(rows_);
        while (::tuplestore_gettupleslot(rows_, true, false, row)) {
            ::tuplestore_puttupleslot(result->setResult, row);
        }
        ::ExecDropSingleTupleTableSlot(row);
    }
    // Files, that is; before the memory goes.
    void end_rows() {
        if (rows_ != nullptr) {
            pg::call([&] { ::tuplestore_end(rows_); });
            rows_ = nullptr;
        }
    }

private:
    void describe(Oid row_type) {
        if (rows_ != nullptr) {
            return;
        }
        ::MemoryContext old = MemoryContextSwitchTo(memory_);
        description_ = describe_conflicts(row_type);
        // It may outlive what runs now, on a node.
        ::ResourceOwner owner = CurrentResourceOwner;
        CurrentResourceOwner = CurTransactionResourceOwner;
        rows_ = ::tuplestore_begin_heap(false, false, work_mem);
        CurrentResourceOwner = owner;
        MemoryContextSwitchTo(old);
    }

    static inline std::uint64_t last_execution = 0;

    std::int64_t plan_;
    std::int64_t statement_;  // the coordinator's number of it; 0 on the coordinator itself
    std::uint64_t execution_ = ++last_execution;
    ::MemoryContext memory_;
    ::TupleDesc description_ = nullptr;
    ::Tuplestorestate* rows_ = nullptr;
};

Store* open_store(std::int64_t plan, std::int64_t statement) {
    ::MemoryContext memory = pg::call([] {
        return AllocSetContextCreate(CurTransactionContext, "herd conflicts", ALLOCSET_SMALL_SIZES);
    });
    return pg::make_in<Store>(memory, plan, statement, memory);
}

Store* find_store(std::int64_t plan) {
    std::int64_t statement = transaction::is_internal_session() ? fragment_number() : 0;
    std::vector<Store*>& stores = open_stores();
    auto found = std::find_if(stores.rbegin(), stores.rend(),
                              [&](Store* store) { return store->is_of(plan, statement); });
    return found == stores.rend() ? nullptr : *found;
}

void close(Store* store) {
    store->end_rows();
    ::MemoryContext memory = store->memory();
    pg::call([&] { ::MemoryContextDelete(memory); });
}

// The command of this transaction that has made the row version. Its cmin is not enough: that may
// be the number of a pair of commands.
::CommandId command_of(::ItemPointer place, Oid part) {
    ::Relation relation = ::table_open(part, NoLock);
    ::CommandId command = FirstCommandId;
    ::HeapTupleData tuple;
    ::Buffer buffer = InvalidBuffer;
    tuple.t_self = *place;
    if (relation->rd_tableam == ::GetHeapamTableAmRoutine() &&
        ::heap_fetch(relation, SnapshotAny, &tuple, &buffer, false)) {
        command = ::HeapTupleHeaderGetCmin(tuple.t_data);
        ::ReleaseBuffer(buffer);
    }
    ::table_close(relation, NoLock);
    return command;
}

}  // namespace

void require_other_row(::ItemPointer place, Oid part, ::TransactionId inserted) {
    // PostgreSQL's own check knows the command of the batch only.
    bool own = pg::call([&] {
        return ::TransactionIdIsCurrentTransactionId(inserted) &&
               command_of(place, part) >= fragment_command();
    });
    if (own) {
        throw Error(SqlState{"21000"},
                    "ON CONFLICT DO UPDATE command cannot affect row a second time")
            .hint(
                "Ensure that no rows proposed for insertion within the same command have "
                "duplicate constrained values.");
    }
}

void keep_conflict(const Conflict& conflict) {
    bool on_node = transaction::is_internal_session();
    Store* store = find_store(conflict.plan);
    if (store == nullptr && !on_node) {
        throw Error(sqlstate::kNotInternal, "herd.keep_conflict is for plans of the herd's own");
    }
    if (on_node) {
        require_other_row(conflict.place, conflict.part, conflict.inserted);
    }
    if (store == nullptr) {
        store = open_store(conflict.plan, fragment_number());
    }
    Datum values[kColumns] = {Int32GetDatum(transaction::require_herd().self.value),
                              PointerGetDatum(conflict.place), ObjectIdGetDatum(conflict.part),
                              conflict.found, conflict.proposed};
    store->add(conflict.row_type, values);
}

std::uint64_t begin_conflicts(std::int64_t plan) {
    return open_store(plan, 0)->execution();
}

void end_conflicts(std::uint64_t execution) noexcept {
    for (Store* store : open_stores()) {
        if (store->execution() == execution) {
            pg::enter_noexcept("end of conflicts", [&] { close(store); });
            return;
        }
    }
}

void return_conflicts(std::int64_t plan, ::ReturnSetInfo* result) {
    Store* store = find_store(plan);
    if (store == nullptr) {
        return;
    }
    pg::call([&] { store->copy_to(result); });
    if (transaction::is_internal_session()) {
        close(store);
    }
}

namespace {

std::string text_of_fetch(std::int64_t plan, Oid table) {
    const char* name = pg::call([&] {
        return ::quote_qualified_identifier(::get_namespace_name(::get_rel_namespace(table)),
                                            ::get_rel_name(table));
    });
    return "SELECT * FROM herd.kept_conflicts(" + std::to_string(plan) +
           ") AS k(node int, place tid, part regclass, found " + name + ", proposed " + name + ")";
}

void take_rows(const remote::Result& result, const RowReader& reader, Oid row_type, Store& store,
               ::MemoryContext scratch) {
    for (int row = 0; row < ::PQntuples(result.get()); ++row) {
        Datum values[kColumns];
        bool nulls[kColumns];
        pg::call([&] {
            ::MemoryContext old = MemoryContextSwitchTo(scratch);
            reader.read(result.get(), row, values, nulls);
            MemoryContextSwitchTo(old);
        });
        store.add(row_type, values);
        pg::call([&] { ::MemoryContextReset(scratch); });
    }
}

}  // namespace

void fetch_conflicts(std::int64_t plan, Oid table, const std::vector<NodeId>& nodes,
                     std::uint64_t statement_number) {
    Store* store = find_store(plan);
    if (nodes.empty() || store == nullptr) {
        return;
    }
    std::string text = text_of_fetch(plan, table);
    transaction::Statement statement;
    statement.text = text.c_str();
    statement.fragment = statement_number;
    for (NodeId node : nodes) {
        transaction::link_to(node).send(statement, nullptr);
    }
    Oid row_type = pg::call([&] { return ::get_rel_type_id(table); });
    ::TupleDesc description = pg::call([&] { return describe_conflicts(row_type); });
    RowReader reader(description, false);
    ::MemoryContext scratch = pg::call([] {
        return AllocSetContextCreate(CurrentMemoryContext, "herd fetch", ALLOCSET_DEFAULT_SIZES);
    });
    for (NodeId node : nodes) {
        transaction::Link& link = transaction::link_to(node);
        while (remote::Result result = link.receive()) {
            take_rows(result, reader, row_type, *store, scratch);
        }
    }
    pg::call([&] { ::MemoryContextDelete(scratch); });
}

}  // namespace herd::executor
