#include "executor/remote_run.hpp"

#include <algorithm>
#include <utility>

#include "executor/as_role.hpp"
#include "executor/pack_scan.hpp"
#include "pg/counters.hpp"
#include "pg/key_hash.hpp"
#include "transaction/endpoint.hpp"

extern "C" {
#include "access/xact.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "storage/lock.h"
#include "tcop/pquery.h"
#include "utils/array.h"
#include "utils/portal.h"
#include "utils/typcache.h"
}

namespace herd::executor {

namespace {

// Advisory locks have a field that tells the SQL functions' (1, 2) from others'.
constexpr uint16 kGroupWriteLockField = 4;

// The numbers of statements that run, or stand in open cursors.
struct Numbered {
    ::EState* estate;
    std::uint64_t number;
};

std::vector<Numbered>& numbered() {
    static auto& list = *new std::vector<Numbered>;
    return list;
}

std::uint64_t last_number = 0;
std::uint64_t reserved = 0;

// 0: none.
std::uint64_t known_number(const ::EState* estate) {
    for (const Numbered& entry : numbered()) {
        if (entry.estate == estate) {
            return entry.number;
        }
    }
    return 0;
}

// A context's reset callback: its EState is gone, however it came to its end.
void forget_number(void* estate) {
    auto is_its = [&](const Numbered& entry) { return entry.estate == estate; };
    numbered().erase(std::remove_if(numbered().begin(), numbered().end(), is_its),
                     numbered().end());
}

void keep_number(::EState* estate, std::uint64_t number) {
    auto* callback = static_cast<::MemoryContextCallback*>(pg::call([&] {
        return ::MemoryContextAllocZero(estate->es_query_cxt, sizeof(::MemoryContextCallback));
    }));
    callback->func = forget_number;
    callback->arg = estate;
    numbered().push_back({estate, number});
    ::MemoryContextRegisterResetCallback(estate->es_query_cxt, callback);
}

}  // namespace

void lock_group_writes(int32 group) {
    ::LOCKTAG tag;
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0x68657264, static_cast<uint32>(group),
                         kGroupWriteLockField);
    (void)::LockAcquire(&tag, ExclusiveLock, false, false);
}

void share_statement_number(::EState* part, ::EState* whole) {
    keep_number(part, statement_number(whole));
}

std::uint64_t statement_number(::EState* estate) {
    std::uint64_t known = known_number(estate);
    if (known != 0) {
        return known;
    }
    std::uint64_t number = reserved != 0 ? std::exchange(reserved, 0) : ++last_number;
    keep_number(estate, number);
    return number;
}

std::uint64_t reserve_statement_number() {
    reserved = ++last_number;
    return reserved;
}

void take_reserved_number(::EState* estate) {
    std::uint64_t number = std::exchange(reserved, 0);
    if (number != 0 && estate != nullptr) {
        keep_number(estate, number);
    }
}

RemoteRun::RemoteRun(::CustomScanState* state, const RemotePlan& plan)
    : state_(state), plan_(plan), query_(plan, state->ss.ss_ScanTupleSlot->tts_tupleDescriptor) {
    const ::List* expressions = reinterpret_cast<::CustomScan*>(state->ss.ps.plan)->custom_exprs;
    argument_count_ = ::list_length(expressions);
    if (argument_count_ == 0) {
        return;
    }
    pg::call([&] {
        arguments_ =
            static_cast<Argument*>(::palloc(sizeof(Argument) * static_cast<Size>(argument_count_)));
        for (int i = 0; i < argument_count_; ++i) {
            arguments_[i] = argument_of(static_cast<::Expr*>(::list_nth(expressions, i)));
        }
    });
}

RemoteRun::Argument RemoteRun::argument_of(::Expr* expression) const {
    Argument argument{nullptr, nullptr, ::exprType(reinterpret_cast<::Node*>(expression))};
    const ::ParamListInfoData* list = state_->ss.ps.state->es_param_list_info;
    auto* parameter = reinterpret_cast<::Param*>(expression);
    if (IsA(parameter, Param) && parameter->paramkind == PARAM_EXTERN && list != nullptr &&
        list->paramFetch == nullptr && parameter->paramid <= list->numParams &&
        list->params[parameter->paramid - 1].ptype == parameter->paramtype) {
        argument.given = &list->params[parameter->paramid - 1];
    } else {
        argument.compiled = ::ExecInitExpr(expression, &state_->ss.ps);
    }
    return argument;
}

Datum RemoteRun::value_of(const Argument& argument, bool* isnull) const {
    if (argument.given != nullptr) {
        *isnull = argument.given->isnull;
        return argument.given->value;
    }
    return ::ExecEvalExpr(argument.compiled, state_->ss.ps.ps_ExprContext, isnull);
}

void RemoteRun::choose_group_nodes(const catalog::Catalog& herd, const catalog::Group& group) {
    auto take_part = [&](NodeId node) {
        if (node == herd.self) {
            runs_here_ = true;
        } else if (std::find(nodes_.begin(), nodes_.end(), node) == nodes_.end()) {
            nodes_.push_back(node);
        }
    };
    if (plan_.routed) {
        take_part(group.map().owner(hash_of_key()).node);
        return;
    }
    if (plan_.by_keys) {
        for (std::int64_t hash : hashes_of_keys()) {
            take_part(group.map().owner(hash).node);
        }
        return;
    }
    for (const OwnedShards& owner : group.owners) {
        take_part(owner.node);
    }
}

std::int64_t RemoteRun::hash_of_key() {
    return pg::call([&] {
        bool isnull = false;
        Datum key = value_of(arguments_[0], &isnull);
        return pg::hash_key(pg::key_hasher(plan_.key_type, plan_.key_collation), key, isnull);
    });
}

std::vector<std::int64_t> RemoteRun::hashes_of_keys() {
    bool isnull = false;
    Datum key = pg::call([&] { return value_of(arguments_[0], &isnull); });
    pg::KeyHasher hasher =
        pg::call([&] { return pg::key_hasher(plan_.key_type, plan_.key_collation); });
    std::vector<std::int64_t> hashes;
    if (isnull) {
        return hashes;
    }
    Datum* elements = nullptr;
    bool* nulls = nullptr;
    int count = 0;
    pg::call([&] {
        ::TypeCacheEntry* type = ::lookup_type_cache(plan_.key_type, 0);
        ::deconstruct_array(DatumGetArrayTypeP(key), plan_.key_type, type->typlen, type->typbyval,
                            type->typalign, &elements, &nulls, &count);
    });
    for (int i = 0; i < count; ++i) {
        if (!nulls[i]) {  // no key equals a null
            hashes.push_back(pg::call([&] { return pg::hash_key(hasher, elements[i], false); }));
        }
    }
    return hashes;
}

void RemoteRun::choose_owners() {
    const catalog::Catalog& herd = transaction::require_herd();
    nodes_.clear();
    runs_here_ = false;
    if (plan_.group_id == 0) {
        nodes_ = herd.other_nodes();
        runs_here_ = true;
        return;
    }
    auto group = herd.groups.find(plan_.group_id);
    if (group == herd.groups.end()) {
        throw Error(sqlstate::kMetadataDamaged,
                    "table group " + std::to_string(plan_.group_id) + " is gone")
            .hint("Prepare the statement again.");
    }
    choose_group_nodes(herd, group->second);
}

bool RemoteRun::try_choose_owners() {
    const ::List* expressions = reinterpret_cast<::CustomScan*>(state_->ss.ps.plan)->custom_exprs;
    if ((!plan_.routed && !plan_.by_keys) ||
        IsA(static_cast<::Node*>(linitial(expressions)), Const) ||
        state_->ss.ps.state->es_param_list_info != nullptr) {
        choose_owners();
        return true;
    }
    return false;
}

void RemoteRun::evaluate_parameters() {
    values_.clear();
    values_.reserve(argument_count_);
    for (int i = plan_.routed || plan_.by_keys ? 1 : 0; i < argument_count_; ++i) {
        bool isnull = false;
        Datum value = pg::call([&] { return value_of(arguments_[i], &isnull); });
        values_.add(arguments_[i].type, value, isnull);
    }
}

void RemoteRun::pack(const std::string& mark, std::uint64_t plan_id) {
    RemotePlan plan = plan_;
    ::TupleDesc description = pg::call([&] {
        plan.text = ::psprintf("%s%s", mark.c_str(), plan_.text);
        return block_description();
    });
    plan.plan_id = plan_id;
    plan.binary = true;
    plan.sort = nullptr;
    packed_ = std::make_unique<RemoteQuery>(plan, description);
}

void RemoteRun::start() {
    ::MemoryContext old =
        MemoryContextSwitchTo(state_->ss.ps.ps_ExprContext->ecxt_per_query_memory);
    evaluate_parameters();
    bool several_places = nodes_.size() + (runs_here_ ? 1 : 0) > 1;
    if (plan_.writes && plan_.queues && several_places && plan_.group_id != 0) {
        // Who holds the lock may be in the way of those who have the connections.
        transaction::open_links(nodes_);
        pg::call([&] { lock_group_writes(plan_.group_id); });
    }
    bool shares_snapshot = plan_.several || known_number(state_->ss.ps.state) != 0;
    bool lone =
        !shares_snapshot && (plan_.writes ? !several_places && transaction::may_write_alone()
                                          : XactIsoLevel <= XACT_READ_COMMITTED);
    std::uint64_t fragment =
        shares_snapshot ? pg::call([&] { return statement_number(state_->ss.ps.state); }) : 0;
    captures_ = state_->ss.ps.instrument != nullptr;
    if (captures_) {
        bool timing = state_->ss.ps.instrument->need_timer;
        transaction::run_on(
            nodes_,
            std::string("SELECT herd.link_explain(true, '") + (timing ? "timing" : "") + "')",
            false);
        lone = false;
    }
    AsRole as(plan_.role);
    query().start(nodes_, values_, lone, fragment);
    MemoryContextSwitchTo(old);
    pg::count(nodes_.size() > 1 ? pg::Counter::kFanOut
              : nodes_.empty()  ? pg::Counter::kRoutedHere
                                : pg::Counter::kRouted);
}

void RemoteRun::start_for_cursor() {
    bool opens = ActivePortal != nullptr && ActivePortal->status == PORTAL_DEFINED &&
                 ActivePortal->name[0] != '\0';
    // What waits for a value from the rest of the plan can't run yet.
    if (opens && !plan_.writes && ::bms_is_empty(state_->ss.ps.plan->allParam)) {
        start();
    }
}

void RemoteRun::fetch_plans() {
    if (!captures_ || !query().started()) {
        return;
    }
    captures_ = false;
    query().finish();
    for (NodeId node : nodes_) {
        pg::Rows rows =
            transaction::run(node, "SELECT plan, milliseconds FROM herd.link_last_plan()", false);
        transaction::run(node, "SELECT herd.link_explain(false)", false);
        if (!rows.empty() && rows[0][0]) {
            node_plans_.push_back({node, *rows[0][0], std::stod(rows[0][1].value_or("0"))});
        }
    }
}

}  // namespace herd::executor
