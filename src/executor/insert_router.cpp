#include "executor/insert_router.hpp"

#include <algorithm>

#include "executor/as_role.hpp"
#include "executor/kept_conflicts.hpp"
#include "executor/remote_plan.hpp"
#include "pg/counters.hpp"
#include "pg/plan_settings.hpp"
#include "pg/server_encoding.hpp"
#include "transaction/endpoint.hpp"

extern "C" {
#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/memutils.h"
}

namespace herd::executor {

namespace {

constexpr int kMostParameters = 60'000;  // the protocol ends at 65,535

// Fewer rows for a node are cheaper as one statement, which takes one round trip.
constexpr int kFewRows = 100;
// Bytes of rows that go to a node, or are kept for it, at once.
constexpr std::size_t kStreamedAtOnce = 1U << 16;

// The buffer of a reference table, whose rows go to every node alike.
constexpr NodeId kEveryone{0};

// A node applies privileges to COPY, unlike to the statements of which this server has checked
// them; and COPY names every column.
bool may_copy(const InsertPlan& plan) {
    return pg::call([&] { return ::pg_class_aclcheck(plan.relid, ::GetUserId(), ACL_INSERT); }) ==
           ACLCHECK_OK;
}

}  // namespace

InsertRouter::InsertRouter(const InsertPlan& plan, ::TupleDesc returned)
    : plan_(plan),
      returned_description_(returned),
      reader_(returned, plan.binary),
      memory_(CurrentMemoryContext) {
    const catalog::Catalog& herd = transaction::require_herd();
    self_ = herd.self;
    if (plan.group_id == 0) {
        everyone_ = herd.other_nodes();
    } else {
        map_ = &herd.groups.at(plan.group_id).map();
        hasher_ = pg::call([&] { return pg::key_hasher(plan.key_type, plan.key_collation); });
    }
    scratch_ = pg::call(
        [&] { return AllocSetContextCreate(memory_, "herd returning", ALLOCSET_SMALL_SIZES); });
    int columns = std::max(1, ::list_length(plan.columns));
    most_rows_ = std::clamp(kMostParameters / columns, 1, pg::batch_rows());
    if (plan.copy != nullptr && may_copy(plan)) {
        copy_ = {plan.copy, plan.table, 0};
        writer_ = std::make_unique<RowWriter>(plan_.columns, plan_.types);
    }
}

InsertRouter::~InsertRouter() {
    for (const auto& [node, link] : transaction::session_links()) {
        link->abandon(this);
    }
}

InsertRouter::Buffer& InsertRouter::buffer_of(NodeId node) {
    Buffer& buffer = buffers_[node];
    if (buffer.memory == nullptr) {
        buffer.memory = pg::call(
            [&] { return AllocSetContextCreate(memory_, "herd rows", ALLOCSET_DEFAULT_SIZES); });
    }
    return buffer;
}

void InsertRouter::append(Buffer& buffer, ::TupleTableSlot* row) {
    ::MemoryContext old = MemoryContextSwitchTo(buffer.memory);
    for (int i = 0; i < ::list_length(plan_.columns); ++i) {
        int column = list_nth_int(plan_.columns, i) - 1;
        buffer.values.add(list_nth_oid(plan_.types, i), row->tts_values[column],
                          row->tts_isnull[column]);
    }
    MemoryContextSwitchTo(old);
    ++buffer.rows;
}

// False when the row is one for append().
bool InsertRouter::add_to_stream(NodeId node, Buffer& buffer, ::TupleTableSlot* row) {
    if (!writer_) {
        return false;
    }
    pg::ServerEncoding encoding;
    pg::call([&] {
        ::MemoryContext old = MemoryContextSwitchTo(scratch_);
        writer_->append(buffer.bytes, row);
        MemoryContextSwitchTo(old);
        ::MemoryContextReset(scratch_);
    });
    ++buffer.rows;
    if (buffer.bytes.size() >= kStreamedAtOnce) {
        stream(node, buffer);
    }
    return true;
}

bool InsertRouter::take_block(NodeId owner, std::string_view rows, int count) {
    if (owner == self_ && map_ != nullptr) {
        rows_here_ = true;
        return true;
    }
    Buffer& buffer = buffer_of(owner);
    buffer.bytes.append(rows);
    buffer.rows += count;
    if (buffer.bytes.size() >= kStreamedAtOnce) {
        stream(owner, buffer);
    }
    return owner == kEveryone;
}

std::string InsertRouter::pack_mark() const {
    int key = 0;
    for (int i = 0; map_ != nullptr && i < ::list_length(plan_.columns); ++i) {
        key = list_nth_int(plan_.columns, i) == plan_.key ? i + 1 : key;
    }
    // Collations that tell equal values apart all hash alike; others have no pack_fields.
    Oid collation = OidIsValid(plan_.key_collation) ? DEFAULT_COLLATION_OID : InvalidOid;
    return routing::pack_mark(plan_.fields, key, collation, map_);
}

std::uint64_t InsertRouter::packed_plan_id() const {
    bool same = map_ == nullptr || map_->epoch().value == plan_.epoch;
    return same ? static_cast<std::uint64_t>(plan_.plan_id) + 2 : 0;
}

void InsertRouter::stream(NodeId node, Buffer& buffer) {
    if (!buffer.stream) {
        buffer.stream = std::make_unique<InsertStream>(
            copy_, node == kEveryone ? everyone_ : std::vector<NodeId>{node});
    }
    buffer.stream->put(buffer.bytes);
    buffer.bytes.clear();
    pg::count(pg::Counter::kRowsInserted, static_cast<std::uint64_t>(buffer.rows));
    buffer.rows = 0;
    sent_ = true;
}

bool InsertRouter::take(::TupleTableSlot* row) {
    if (map_ == nullptr) {
        Buffer& buffer = buffer_of(kEveryone);
        if (add_to_stream(kEveryone, buffer, row)) {
            return true;
        }
        append(buffer, row);
        if (buffer.rows >= most_rows_) {
            flush_everywhere(buffer);
        }
        return true;
    }
    int key = plan_.key - 1;
    std::int64_t hash =
        pg::call([&] { return pg::hash_key(hasher_, row->tts_values[key], row->tts_isnull[key]); });
    NodeId owner = map_->owner(hash).node;
    if (owner == self_) {
        rows_here_ = true;
        return true;
    }
    Buffer& buffer = buffer_of(owner);
    if (add_to_stream(owner, buffer, row)) {
        return false;
    }
    append(buffer, row);
    if (buffer.rows >= most_rows_) {
        if (plan_.again != nullptr) {
            statement_ = number_;
        }
        flush(owner, buffer, false);
    }
    return false;
}

bool InsertRouter::comes_again() const {
    return statement_ != 0 && plan_.again != nullptr;
}

std::string InsertRouter::text_for(int rows) const {
    std::string text = plan_.head;
    int columns = ::list_length(plan_.columns);
    const char* tail = comes_again() ? plan_.again : plan_.tail;
    if (columns == 0) {
        return text + "DEFAULT VALUES" + tail;
    }
    text += "(";
    for (int i = 0; i < columns; ++i) {
        text += (i == 0 ? "" : ", ");
        text += strVal(::list_nth(plan_.column_names, i));
    }
    text += ") OVERRIDING SYSTEM VALUE VALUES ";
    int number = tail_parameters_.count();
    for (int row = 0; row < rows; ++row) {
        text += row == 0 ? "(" : ", (";
        for (int i = 0; i < columns; ++i) {
            text += (i == 0 ? "$" : ", $") + std::to_string(++number);
            text += strVal(::list_nth(plan_.casts, i));
        }
        text += ")";
    }
    return text + tail;
}

ParameterSet InsertRouter::parameters_of(const Buffer& buffer) const {
    ParameterSet all = tail_parameters_;
    all.append(buffer.values);
    add_parameters(all, buffer.bytes, plan_.types);
    return all;
}

void InsertRouter::clear(Buffer& buffer) {
    buffer.values.clear();
    buffer.bytes.clear();
    buffer.rows = 0;
    pg::call([&] { ::MemoryContextReset(buffer.memory); });
}

void InsertRouter::flush(NodeId node, Buffer& buffer, bool lone) {
    std::string text = text_for(buffer.rows);
    ParameterSet all = parameters_of(buffer);
    transaction::Statement statement;
    statement.text = text.c_str();
    if (buffer.rows == 1) {
        auto number = static_cast<std::uint64_t>(plan_.plan_id);
        statement.plan_id = number_if_repeated(comes_again() ? number + 1 : number);
    }
    statement.parameters = all.view();
    statement.binary = plan_.binary;
    statement.writes = true;
    statement.fragment = statement_;
    statement.lone = lone;
    AsRole as(plan_.role);
    transaction::link_to(node).send(statement, this);
    pg::count(pg::Counter::kRowsInserted, static_cast<std::uint64_t>(buffer.rows));
    sent_ = true;
    buffer.in_flight = true;
    buffer.sent += static_cast<std::uint64_t>(buffer.rows);
    clear(buffer);
}

void InsertRouter::flush_everywhere(Buffer& buffer) {
    std::string text = text_for(buffer.rows);
    ParameterSet all = parameters_of(buffer);
    transaction::Statement statement;
    statement.text = text.c_str();
    statement.parameters = all.view();
    statement.binary = plan_.binary;
    statement.writes = true;
    statement.fragment = statement_;
    AsRole as(plan_.role);
    for (NodeId node : everyone_) {
        transaction::link_to(node).send(statement, this);
        buffer_of(node).in_flight = true;
    }
    pg::count(pg::Counter::kRowsInserted, static_cast<std::uint64_t>(buffer.rows));
    clear(buffer);
}

void InsertRouter::keep_rows(const PGresult* result) {
    if (map_ == nullptr) {
        return;  // this server's own copy has returned the rows
    }
    pg::ServerEncoding encoding;
    for (int row = 0; row < ::PQntuples(result); ++row) {
        pg::call([&] {
            ::MemoryContext old = MemoryContextSwitchTo(memory_);
            if (returned_ == nullptr) {
                returned_ = ::tuplestore_begin_heap(false, false, work_mem);
            }
            MemoryContextSwitchTo(scratch_);
            auto columns = static_cast<Size>(returned_description_->natts) + 1;
            auto* values = static_cast<Datum*>(::palloc(sizeof(Datum) * columns));
            auto* nulls = static_cast<bool*>(::palloc(columns));
            reader_.read(result, row, values, nulls);
            tuplestore_putvalues(returned_, returned_description_, values, nulls);
            MemoryContextSwitchTo(old);
            ::MemoryContextReset(scratch_);
        });
    }
}

void InsertRouter::collect(NodeId node, Buffer& buffer) {
    if (!buffer.in_flight) {
        return;
    }
    transaction::Link& link = transaction::link_to(node);
    while (remote::Result result = link.receive()) {
        keep_rows(result.get());
        const char* rows = ::PQcmdTuples(result.get());
        if (::PQresultStatus(result.get()) != PGRES_SINGLE_TUPLE && *rows != '\0') {
            std::uint64_t count = std::strtoull(rows, nullptr, 10);
            buffer.stored += count;
            affected_ += count;
        }
    }
    buffer.in_flight = false;
}

void InsertRouter::spool() {
    for (auto& [node, buffer] : buffers_) {
        collect(node, buffer);
    }
}

// What is left of rows that are not few, and of what was kept: to all nodes in turns.
void InsertRouter::finish_streams() {
    std::vector<InsertStream*> streams;
    for (auto& [node, buffer] : buffers_) {
        if (writer_ && (buffer.stream || buffer.rows >= std::min(kFewRows, most_rows_))) {
            stream(node, buffer);
            streams.push_back(buffer.stream.get());
        }
    }
    for (bool more = true; more;) {
        pg::check_interrupts();
        more = false;
        for (InsertStream* one : streams) {
            more = one->send_kept() || more;
        }
    }
    for (InsertStream* one : streams) {
        one->send_end();
    }
    for (InsertStream* one : streams) {
        one->await_end();
        affected_ += one->stored();
    }
}

void InsertRouter::finish() {
    finish_streams();
    auto everyone = buffers_.find(kEveryone);
    if (everyone != buffers_.end()) {
        if (everyone->second.rows > 0) {
            flush_everywhere(everyone->second);
        }
        spool();
        return;
    }
    std::vector<NodeId> waiting;
    for (const auto& [node, buffer] : buffers_) {
        if (buffer.rows > 0) {
            waiting.push_back(node);
        }
    }
    bool lone = waiting.size() == 1 && !sent_ && !rows_here_ && statement_ == 0 &&
                transaction::may_write_alone();
    transaction::open_links(waiting);
    for (NodeId node : waiting) {
        flush(node, buffers_[node], lone);
    }
    spool();
    if (plan_.keeps != 0) {
        fetch_kept_conflicts();
    }
}

void InsertRouter::fetch_kept_conflicts() {
    std::vector<NodeId> nodes;
    for (const auto& [node, buffer] : buffers_) {
        if (buffer.stored < buffer.sent) {
            nodes.push_back(node);
        }
    }
    fetch_conflicts(plan_.keeps, plan_.relid, nodes, statement_);
}

void InsertRouter::end() {
    if (::Tuplestorestate* rows = std::exchange(returned_, nullptr)) {
        ::tuplestore_end(rows);
    }
    for (auto& [node, buffer] : buffers_) {
        if (buffer.stream) {
            buffer.stream->end();
        }
    }
}

bool InsertRouter::next_returned(::TupleTableSlot* slot) {
    return returned_ != nullptr &&
           pg::call([&] { return ::tuplestore_gettupleslot(returned_, true, true, slot); });
}

}  // namespace herd::executor
