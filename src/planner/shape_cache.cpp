// The plans of shapes, and when they stop being good.
#include "executor/literals.hpp"
#include "pg/compat.hpp"
#include "pg/counters.hpp"
#include "pg/plan_settings.hpp"
#include "planner/shape.hpp"

extern "C" {
#include "lib/ilist.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
}

namespace herd::planner {

namespace {

enum class State {
    kSeen,     // once: most texts never come again
    kPlanned,  // shape and plan are there
    kAlone     // its statements have to be planned one by one
};

// Without gaps, since the hash table compares bytes.
struct Key {
    uint64 number;    // PostgreSQL's query identifier of the shape
    uint64 settings;  // that the plan is made with
    uint64 role;
};

struct Entry {
    Key key;          // first: the hash table's
    ::dlist_node at;  // in order
    State state;
    ::MemoryContext memory;  // of what follows
    ::List* relations;       // that the plan depends on
    ::Query* shape;
    ::PlannedStmt* plan;  // of kPlanned
};

::HTAB* entries = nullptr;
::dlist_head order;  // the last used first; those that have not been used for longest go first
int entry_count = 0;

// PostgreSQL's own macros for it are for C alone.
Entry* entry_at(::dlist_node* at) {
    return reinterpret_cast<Entry*>(reinterpret_cast<char*>(at) - offsetof(Entry, at));
}

void leave_gauge(int, Datum) {
    pg::gauge(pg::Counter::kShapesKept, -entry_count);
}

void create_entries() {
    ::before_shmem_exit(leave_gauge, Datum{0});
    ::HASHCTL control{};
    control.keysize = sizeof(Key);
    control.entrysize = sizeof(Entry);
    control.hcxt = CacheMemoryContext;
    ::dlist_init(&order);
    entries = ::hash_create("herd shapes", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

// Seen once again: what its plan was made of may have changed.
void forget(Entry* entry) {
    entry->state = State::kSeen;
    entry->relations = NIL;
    entry->shape = nullptr;
    entry->plan = nullptr;
    if (entry->memory != nullptr) {
        ::MemoryContextDelete(entry->memory);
        entry->memory = nullptr;
    }
}

// Whether the plan must not be used any more. Callbacks only note it: they come at any time.
bool all_stale = false;

void on_relation_change(Datum, Oid relation) {
    if (entries == nullptr) {
        return;
    }
    for (::dlist_node* at = order.head.next; !all_stale && at != &order.head; at = at->next) {
        const Entry* entry = entry_at(at);
        all_stale = entry->state != State::kSeen &&
                    (!OidIsValid(relation) || ::list_member_oid(entry->relations, relation));
    }
}

void on_object_change(Datum, int, uint32) {
    all_stale = true;
}

void forget_stale() {
    if (!all_stale) {
        return;
    }
    all_stale = false;
    if (entries == nullptr) {
        return;
    }
    for (::dlist_node* at = order.head.next; at != &order.head; at = at->next) {
        forget(entry_at(at));
    }
}

void make_room() {
    while (entry_count > 0 && entry_count >= pg::max_shapes()) {
        Entry* oldest = entry_at(order.head.prev);
        forget(oldest);
        ::dlist_delete(&oldest->at);
        (void)::hash_search(entries, &oldest->key, HASH_REMOVE, nullptr);
        --entry_count;
        pg::gauge(pg::Counter::kShapesKept, -1);
        pg::count(pg::Counter::kShapesDropped);
    }
}

Entry* add_entry(const Key& key) {
    make_room();
    auto* entry = static_cast<Entry*>(::hash_search(entries, &key, HASH_ENTER, nullptr));
    *entry = Entry{key, {}, State::kSeen, nullptr, NIL, nullptr, nullptr};
    ::dlist_push_head(&order, &entry->at);
    ++entry_count;
    pg::gauge(pg::Counter::kShapesKept, 1);
    return entry;
}

Entry* find_entry(const Key& key, bool* is_new) {
    if (entries == nullptr) {
        create_entries();
    }
    auto* found = static_cast<Entry*>(::hash_search(entries, &key, HASH_FIND, nullptr));
    *is_new = found == nullptr;
    if (*is_new) {
        return add_entry(key);
    }
    ::dlist_move_head(&order, &found->at);
    return found;
}

// The entry may be gone, or another's, when planning has run functions that plan statements.
void make_plan(const Key& key, const ::Query* shape, PlanFunction plan, void* context) {
    ::PlannedStmt* made = plan(static_cast<::Query*>(copyObjectImpl(shape)), context);
    bool is_new = false;
    Entry* entry = find_entry(key, &is_new);
    if (entry->state != State::kSeen) {
        return;
    }
    ::MemoryContext memory =
        AllocSetContextCreate(CurrentMemoryContext, "herd shape", ALLOCSET_SMALL_SIZES);
    ::MemoryContext old = MemoryContextSwitchTo(memory);
    bool shared = executor::can_carry_literals(made);
    auto* own_shape = static_cast<::Query*>(copyObjectImpl(shape));
    auto* own_plan = shared ? static_cast<::PlannedStmt*>(copyObjectImpl(made)) : nullptr;
    ::List* relations = ::list_copy(made->relationOids);
    MemoryContextSwitchTo(old);
    ::MemoryContextSetParent(memory, CacheMemoryContext);
    entry->memory = memory;
    entry->relations = relations;
    entry->shape = own_shape;
    entry->plan = own_plan;
    entry->state = shared ? State::kPlanned : State::kAlone;
}

// The statement's own relations are locked since its analysis; others, partitions above all, come
// with the plan. Returns whether the plan is still good then.
bool lock_relations(const ::PlannedStmt* plan) {
    for (int i = 0; i < ::list_length(plan->rtable); ++i) {
        auto* entry = static_cast<::RangeTblEntry*>(::list_nth(plan->rtable, i));
        if (entry->rtekind == RTE_RELATION) {
            ::LockRelationOid(entry->relid, entry->rellockmode);
        }
    }
    return !all_stale;
}

// With a plan to use, made now if it is the second time that the shape comes; nullptr: there is
// none, or another shape of this number has come first.
const Entry* planned_entry(const Key& key, const ::Query* shape, PlanFunction plan, void* context) {
    bool is_new = false;
    Entry* entry = find_entry(key, &is_new);
    if (is_new) {
        return nullptr;
    }
    if (entry->state == State::kSeen) {
        make_plan(key, shape, plan, context);
        entry = find_entry(key, &is_new);
    }
    bool usable = entry->state == State::kPlanned && !all_stale && equal(entry->shape, shape);
    return usable ? entry : nullptr;
}

}  // namespace

::PlannedStmt* plan_by_shape(const catalog::Catalog& herd, const ::Query* query, PlanFunction plan,
                             void* context) {
    ::List* literals = NIL;
    ::Query* shape = pg::max_shapes() == 0 ? nullptr : shape_of(herd, query, &literals);
    if (shape == nullptr) {
        return nullptr;
    }
    Key key = {pg::compat::query_identifier(shape), pg::plan_settings(), ::GetUserId()};
    forget_stale();
    const Entry* entry = planned_entry(key, shape, plan, context);
    if (entry == nullptr || !lock_relations(entry->plan)) {
        return nullptr;
    }
    auto* statement = static_cast<::PlannedStmt*>(copyObjectImpl(entry->plan));
    statement->queryId = query->queryId;
    statement->stmt_location = query->stmt_location;
    statement->stmt_len = query->stmt_len;
    executor::attach_literals(statement, literals);
    pg::count(pg::Counter::kPlannedByShape);
    return statement;
}

void initialize_shapes() {
    ::CacheRegisterRelcacheCallback(on_relation_change, Datum{0});
    for (int cache : {PROCOID, TYPEOID, OPEROID, AMOPOPID, NAMESPACEOID}) {
        ::CacheRegisterSyscacheCallback(cache, on_object_change, Datum{0});
    }
}

}  // namespace herd::planner
