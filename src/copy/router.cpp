#include "copy/router.hpp"

#include "copy/binary_reader.hpp"
#include "copy/line_reader.hpp"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/memutils.h"
#include "utils/rel.h"
}

namespace herd::copy {

namespace {

constexpr const char* kNoKey = "a record of COPY has no distribution key";

// What is allocated meanwhile goes with the context.
class InContext {
public:
    explicit InContext(::MemoryContext context) : before_(::MemoryContextSwitchTo(context)) {}
    ~InContext() { ::MemoryContextSwitchTo(before_); }
    InContext(const InContext&) = delete;
    InContext& operator=(const InContext&) = delete;

private:
    ::MemoryContext before_;
};

::MemoryContext make_memory() {
    return pg::call([] {
        return ::AllocSetContextCreateInternal(::CurrentMemoryContext, "herd copy records",
                                               ALLOCSET_DEFAULT_SIZES);
    });
}

std::unique_ptr<RecordReader> make_reader(const CopyPlan& plan, const FieldFormat& format) {
    if (plan.options.binary) {
        return std::make_unique<BinaryReader>(::list_length(plan.columns));
    }
    return std::make_unique<LineReader>(format);
}

}  // namespace

Router::Router(const CopyPlan& plan, const catalog::Table& table, const catalog::Catalog& herd,
               DefaultColumns& defaults, Batch& local,
               std::vector<std::unique_ptr<NodeTarget>>& nodes)
    : plan_(plan),
      defaults_(defaults),
      local_(local),
      format_(field_format(plan, 0)),
      reader_(make_reader(plan, format_)),
      memory_(make_memory()) {
    header_lines_ = plan.options.header_line == COPY_HEADER_FALSE ? 0 : 1;
    if (table.kind == TableKind::kDistributed) {
        key_ = std::make_unique<KeyReader>(plan, table.key_attnum, defaults);
        shards_ = &table.group->map();
    }
    if (plan.where != nullptr && plan.where_text == nullptr) {
        judge_ =
            std::make_unique<RowJudge>(plan, pg::call([&] { return defaults.all_columns(plan); }));
    }
    map_owners(table, herd, nodes);
}

void Router::map_owners(const catalog::Table& table, const catalog::Catalog& herd,
                        std::vector<std::unique_ptr<NodeTarget>>& nodes) {
    if (table.kind == TableKind::kReference) {
        owners_.push_back(&local_);
        for (auto& node : nodes) {
            owners_.push_back(&node->batch);
        }
        return;
    }
    for (const Shard& shard : shards_->shards()) {
        Batch* owner = &local_;
        for (auto& node : nodes) {
            owner = node->node() == shard.node ? &node->batch : owner;
        }
        if (owner == &local_ && shard.node != herd.self) {
            throw Error(sqlstate::kMetadataDamaged, "a shard belongs to a node that is not known");
        }
        owners_.push_back(owner);
    }
}

// For errors that PostgreSQL raises while a record is read.
void Router::add_context(void* argument) {
    const auto* router = static_cast<const Router*>(argument);
    if (router->judging_) {
        return;  // the judge's own says it
    }
    const char* name = RelationGetRelationName(router->plan_.relation);
    auto line = static_cast<unsigned long long>(router->reader_->record().number);
    const char* value = router->key_ ? router->key_->value_in_parsing() : nullptr;
    if (value != nullptr) {
        errcontext("COPY %s, line %llu, column %s: \"%s\"", name, line, router->key_->column_name(),
                   value);
    } else {
        errcontext("COPY %s, line %llu", name, line);
    }
}

void Router::make_prefix(const Record& record) {
    if (plan_.options.binary) {
        append_int16(prefix_,
                     static_cast<std::int16_t>(read_int16(record.data) + defaults_.sent()));
        defaults_.append_binary(prefix_);
        return;
    }
    defaults_.append_text(prefix_, format_, settings_);
    if (plan_.columns != nullptr || record.size > 0) {
        prefix_ += format_.delimiter;
    }
}

// PostgreSQL style.
void Router::route_record(const Record& record) {
    Record body = record;
    prefix_.clear();
    if (defaults_.any_sent() || defaults_.has_key()) {
        defaults_.evaluate();
    }
    if (defaults_.any_sent()) {
        make_prefix(record);
        if (plan_.options.binary) {
            body.data += kFieldCountSize;
            body.size -= kFieldCountSize;
        }
    }
    if (judge_) {
        judging_ = true;
        bool passes = judge_->passes(prefix_, body);
        judging_ = false;
        if (!passes) {
            return;
        }
    }
    if (!key_) {
        for (Batch* batch : owners_) {
            batch->add(prefix_, body);
        }
        return;
    }
    if (!key_->read({record.data, record.size})) {
        throw Error(kBadCopyFileFormat, kNoKey);
    }
    owners_[shards_->index_of(key_->hash())]->add(prefix_, body);
}

// Header lines are dropped; HEADER MATCH is for PostgreSQL to judge, with the names of the columns
// that are written here in front.
bool Router::take_header(const Record& record) {
    if (header_lines_ == 0) {
        return false;
    }
    header_lines_ = 0;
    if (plan_.options.header_line != COPY_HEADER_MATCH) {
        return true;
    }
    prefix_.clear();
    ::List* names = column_names(plan_.relation, defaults_.all_columns(plan_));
    for (int i = 0; i < defaults_.sent(); ++i) {
        append_field(prefix_, format_, strVal(::list_nth(names, i)));
        prefix_ += format_.delimiter;
    }
    local_.add(prefix_, record);
    return true;
}

// PostgreSQL style: what it owns is this object's.
void Router::route() {
    ::ErrorContextCallback callback;
    callback.previous = ::error_context_stack;
    callback.callback = add_context;
    callback.arg = this;
    ::error_context_stack = &callback;
    do {
        scan_ = Scan::kNeedInput;  // what next() throws is not about a record
        scan_ = reader_->next();
        if (scan_ == Scan::kRecord && !take_header(reader_->record())) {
            route_record(reader_->record());
        }
    } while (scan_ == Scan::kRecord);
    ::error_context_stack = callback.previous;
}

// PostgreSQL's own COPY finds what is wrong with a record, and says it better.
void Router::give_to_local(const Record& record) {
    Record body = record;
    if (scan_ == Scan::kDamaged && defaults_.any_sent()) {
        prefix_.clear();
        defaults_.evaluate();
        make_prefix(record);
    }
    if (plan_.options.binary && defaults_.any_sent()) {
        body.data += kFieldCountSize;
        body.size -= kFieldCountSize;
    }
    local_.add(prefix_, body);
}

Failure Router::located(const Error& error, std::uint64_t line) const {
    Failure failure(error, line);
    if (line != 0) {
        std::string place = std::string("COPY ") + RelationGetRelationName(plan_.relation) +
                            ", line " + std::to_string(line);
        failure.context(error.context().empty() ? place : place + "\n" + error.context());
    }
    return failure;
}

bool Router::fill(Input& input) {
    try {
        bool more = input.refill(reader_->consumed());
        reader_->set_input(input.data(), input.size(), input.at_end());
        return more;
    } catch (const Error& error) {
        throw located(error, reader_->number());
    }
}

bool Router::step(Source& source, Input& input) {
    if (scan_ == Scan::kEnd) {
        return false;
    }
    fill(input);
    InContext context(memory_);
    try {
        pg::call([&] { route(); });
    } catch (const Error& error) {
        settings_.restore();
        handle(error);
    }
    if (scan_ == Scan::kDamaged) {
        handle(Error(kBadCopyFileFormat, "a tuple of COPY is damaged"));
    }
    pg::call([&] { ::MemoryContextReset(memory_); });
    if (scan_ == Scan::kEnd) {
        source.drain();
    }
    return scan_ != Scan::kEnd;
}

// An error met by route(): of the reader, of a key, or of a default.
void Router::handle(const Error& error) {
    const Record& record = reader_->record();
    if (scan_ != Scan::kRecord && scan_ != Scan::kDamaged) {
        throw located(error, reader_->number());
    }
    Failure failure = error.has_complete_context() ? Failure(error, record.number)
                                                   : located(error, record.number);
    bool no_key = error.state() == kBadCopyFileFormat && !error.has_complete_context();
    if (no_key || (key_ && key_->is_bad_value(error))) {
        pg::call([&] { give_to_local(record); });
        failure.given_to_local = true;
    }
    throw Failure(failure);
}

}  // namespace herd::copy
