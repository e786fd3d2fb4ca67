#include "executor/modify_router.hpp"

#include <algorithm>

#include "transaction/endpoint.hpp"

extern "C" {
#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"
}

namespace herd::executor {

namespace {

constexpr std::size_t kMostRows = 1000;
constexpr std::size_t kMostParameters = 60'000;  // the protocol ends at 65,535
constexpr Size kMostBytes = 4 << 20;

// The number of a row in its batch, then the columns that are read above.
::TupleDesc describe_answer(const ModifyPlan& plan, ::TupleDesc changes) {
    int results = ::list_length(plan.result_sources);
    ::TupleDesc answer = ::CreateTemplateTupleDesc(results + 1);
    ::TupleDescInitEntry(answer, 1, "n", INT4OID, -1, 0);
    for (int i = 0; i < results; ++i) {
        auto column = static_cast<::AttrNumber>(i + 2);
        if (list_nth_int(plan.results, i) == TableOidAttributeNumber) {
            ::TupleDescInitEntry(answer, column, "tableoid", REGCLASSOID, -1, 0);
            continue;
        }
        ::TupleDescCopyEntry(answer, column, changes,
                             static_cast<::AttrNumber>(list_nth_int(plan.result_sources, i)));
    }
    return answer;
}

// By place, so that changes of one row come one after the other, and nodes read their pages once.
::Tuplesortstate* begin_sort(const ModifyPlan& plan, ::TupleDesc changes) {
    ::AttrNumber columns[] = {plan.row, plan.table, plan.node};
    constexpr int kCount = 3;
    Oid operators[kCount];
    Oid collations[kCount] = {};
    bool nulls_first[kCount] = {};
    for (int i = 0; i < kCount; ++i) {
        Oid type = TupleDescAttr(changes, columns[i] - 1)->atttypid;
        operators[i] = ::lookup_type_cache(type, TYPECACHE_LT_OPR)->lt_opr;
    }
    return ::tuplesort_begin_heap(changes, kCount, columns, operators, collations, nulls_first,
                                  work_mem, nullptr, TUPLESORT_NONE);
}

}  // namespace

ModifyRouter::ModifyRouter(const ModifyPlan& plan, ::TupleDesc changes)
    : plan_(plan),
      changes_(changes),
      memory_(CurrentMemoryContext),
      text_(plan_, changes),
      answer_(pg::call([&] { return describe_answer(plan, changes); })),
      binary_(pg::call([&] { return rows_are_portable(answer_); })),
      reader_(answer_, binary_) {
    leave_.command = CMD_DELETE;
    const catalog::Catalog& herd = transaction::require_herd();
    self_ = herd.self;
    if (plan.group_id == 0) {
        everyone_ = herd.other_nodes();
    } else {
        map_ = &herd.groups.at(plan.group_id).map();
        hasher_ = pg::call([&] {
            return pg::key_hasher(::get_atttype(plan.relid, plan.key), plan.key_collation);
        });
    }
    pg::call([&] {
        kept_ = begin_sort(plan_, changes);
        slot_ = ::MakeSingleTupleTableSlot(changes, &TTSOpsMinimalTuple);
        scratch_ = ::MakeSingleTupleTableSlot(changes, &TTSOpsMinimalTuple);
    });
}

ModifyRouter::~ModifyRouter() {
    for (const auto& [node, link] : transaction::session_links()) {
        link->abandon(this);
    }
}

const ModifyAction& ModifyRouter::action(const Batch& batch) const {
    return batch.leaves
               ? leave_
               : *static_cast<const ModifyAction*>(::list_nth(plan_.actions, batch.action - 1));
}

std::size_t ModifyRouter::most_rows(const ModifyAction& action) const {
    // Rows of an INSERT come back in order, unless a trigger leaves some out.
    if (action.command == CMD_INSERT && (plan_.suppresses || action.columns == NIL)) {
        return 1;
    }
    std::size_t columns = std::max<std::size_t>(1, text_.parameters(action).size());
    return std::clamp<std::size_t>(kMostParameters / columns, 1, kMostRows);
}

NodeId ModifyRouter::owner_of(::TupleTableSlot* change, const ModifyAction& action) const {
    if (map_ == nullptr) {
        return kEveryone;
    }
    for (int i = 0; i < ::list_length(action.columns); ++i) {
        if (list_nth_int(action.columns, i) == plan_.key) {
            int source = list_nth_int(action.sources, i) - 1;
            std::int64_t hash = pg::call([&] {
                return pg::hash_key(hasher_, change->tts_values[source],
                                    change->tts_isnull[source]);
            });
            return map_->owner(hash).node;
        }
    }
    return map_->owner(pg::kHashOfNull).node;
}

bool ModifyRouter::is_repeated(::TupleTableSlot* change) {
    auto* row = reinterpret_cast<::ItemPointer>(DatumGetPointer(change->tts_values[plan_.row - 1]));
    Oid table = DatumGetObjectId(change->tts_values[plan_.table - 1]);
    int node = DatumGetInt32(change->tts_values[plan_.node - 1]);
    bool same = ItemPointerIsValid(&last_row_) && ::ItemPointerEquals(row, &last_row_) &&
                table == last_table_ && node == last_node_;
    if (same && plan_.only_once && plan_.action == 0) {
        throw Error(SqlState{"21000"},
                    "ON CONFLICT DO UPDATE command cannot affect row a second time")
            .hint(
                "Ensure that no rows proposed for insertion within the same command have "
                "duplicate constrained values.");
    }
    if (same && plan_.only_once) {
        throw Error(SqlState{"21000"}, "MERGE command cannot affect row a second time")
            .hint("Ensure that not more than one source row matches any one target row.");
    }
    last_row_ = *row;
    last_table_ = table;
    last_node_ = node;
    return same;
}

void ModifyRouter::take(::TupleTableSlot* change) {
    int number = plan_.action == 0 ? 1 : DatumGetInt32(change->tts_values[plan_.action - 1]);
    const auto& wanted = *static_cast<ModifyAction*>(::list_nth(plan_.actions, number - 1));
    if (wanted.command == CMD_INSERT) {
        append(batch_for(owner_of(change, wanted), number, false), change);
        return;
    }
    if (is_repeated(change)) {
        return;
    }
    NodeId place =
        map_ == nullptr ? kEveryone : NodeId{DatumGetInt32(change->tts_values[plan_.node - 1])};
    bool leaves = false;
    if (wanted.moved != 0) {
        auto* arrival = static_cast<ModifyAction*>(::list_nth(plan_.actions, wanted.moved - 1));
        leaves = wanted.moves_all || owner_of(change, *arrival) != place;
    }
    append(batch_for(place, number, leaves), change);
}

ModifyRouter::Batch& ModifyRouter::batch_for(NodeId node, int action, bool leaves) {
    // Rows leave before others change: keys that they give up can be taken.
    Batch& batch = batches_[{node, leaves ? -action : action}];
    if (batch.memory == nullptr) {
        batch.node = node;
        batch.action = action;
        batch.leaves = leaves;
        batch.most = most_rows(this->action(batch));
        batch.memory = pg::call(
            [&] { return AllocSetContextCreate(memory_, "herd changes", ALLOCSET_DEFAULT_SIZES); });
    }
    if (batch.in_flight) {
        collect(batch);
    }
    return batch;
}

void ModifyRouter::append(Batch& batch, ::TupleTableSlot* change) {
    ::MinimalTuple tuple = pg::call([&] {
        ::MemoryContext old = MemoryContextSwitchTo(batch.memory);
        ::MinimalTuple copy = ::ExecCopySlotMinimalTuple(change);
        MemoryContextSwitchTo(old);
        return copy;
    });
    batch.changes.push_back(tuple);
    if (batch.changes.size() >= batch.most ||
        ::MemoryContextMemAllocated(batch.memory, false) > kMostBytes) {
        flush(batch);
    }
}

void ModifyRouter::flush_all() {
    std::vector<NodeId> waiting;
    for (const auto& [key, batch] : batches_) {
        if (!batch.changes.empty() && !batch.in_flight && batch.node != self_ &&
            batch.node != kEveryone) {
            waiting.push_back(batch.node);
        }
    }
    transaction::open_links(waiting);
    for (auto& [key, batch] : batches_) {
        if (!batch.changes.empty() && !batch.in_flight) {
            flush(batch);
        }
    }
    spool();
}

void ModifyRouter::carry_out() {
    pg::call([&] { ::tuplesort_performsort(kept_); });
    while (pg::call([&] {
        bool found = ::tuplesort_gettupleslot(kept_, true, false, slot_, nullptr);
        if (found) {
            slot_getallattrs(slot_);
        }
        return found;
    })) {
        take(slot_);
    }
    flush_all();
    pg::call([&] {
        ::ExecClearTuple(slot_);
        ::tuplesort_end(kept_);
    });
    while (moved_ != nullptr && pg::call([&] {
               bool found = ::tuplestore_gettupleslot(moved_, true, false, slot_);
               if (found) {
                   slot_getallattrs(slot_);
               }
               return found;
           })) {
        int number = plan_.action == 0 ? 1 : DatumGetInt32(slot_->tts_values[plan_.action - 1]);
        int arrival = static_cast<ModifyAction*>(::list_nth(plan_.actions, number - 1))->moved;
        const auto& insert = *static_cast<ModifyAction*>(::list_nth(plan_.actions, arrival - 1));
        append(batch_for(owner_of(slot_, insert), arrival, false), slot_);
    }
    flush_all();
}

void ModifyRouter::end() {
    for (::Tuplestorestate** store : {&moved_, &returned_}) {
        if (*store != nullptr) {
            ::tuplestore_end(std::exchange(*store, nullptr));
        }
    }
}

bool ModifyRouter::next(::TupleTableSlot* slot) {
    return returned_ != nullptr &&
           pg::call([&] { return ::tuplestore_gettupleslot(returned_, true, true, slot); });
}

}  // namespace herd::executor
