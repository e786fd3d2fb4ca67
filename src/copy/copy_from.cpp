#include "copy/copy_from.hpp"

#include <algorithm>
#include <cstring>

#include "catalog/own_row.hpp"
#include "copy/binary_reader.hpp"
#include "copy/checked_insert.hpp"
#include "copy/router.hpp"

extern "C" {
#include "commands/copyfrom_internal.h"
#include "mb/pg_wchar.h"
#include "utils/rel.h"
}

namespace herd::copy {

namespace {

constexpr std::size_t kBatchSize = 1U << 16;

// Errors that are not about the data, and end the statement as they are.
bool is_about_data(const Error& error) {
    auto state = error.state().text();
    std::string_view about(state.data(), 2);
    return about != "57" && about != "08" && about != "53" && about != "XX";
}

class Job {
public:
    Job(const CopyPlan& plan, const catalog::Table& table, const catalog::Catalog& herd);
    std::uint64_t run();

private:
    static int read_callback(void* out, int least, int most);
    int read(char* out, std::size_t most);
    std::uint64_t run_local();
    void step();
    void flush(std::size_t least);
    void finish_nodes();
    [[noreturn]] void fail(const Failure& first);

    const CopyPlan& plan_;
    const catalog::Catalog& herd_;
    NodeCopy node_copy_;
    DefaultColumns defaults_;
    std::vector<std::unique_ptr<NodeTarget>> nodes_;
    Batch local_;
    std::size_t local_given_ = 0;  // bytes of the local batch that CopyFrom has
    std::unique_ptr<Router> router_;
    Source source_;
    Input input_;
    ::ErrorContextCallback* outer_context_ = nullptr;
    std::optional<Failure> failure_;
    bool raised_ = false;  // failure_ has ended CopyFrom
    bool header_due_ = false;
    bool at_end_ = false;
    bool finished_ = false;
};

// PostgreSQL's callback has no argument. A trigger may COPY in the middle of a COPY.
Job* current_job = nullptr;

class CurrentJob {
public:
    explicit CurrentJob(Job* job) : before_(current_job) { current_job = job; }
    ~CurrentJob() { current_job = before_; }
    CurrentJob(const CurrentJob&) = delete;
    CurrentJob& operator=(const CurrentJob&) = delete;

private:
    Job* before_;
};

NodeCopy make_node_copy(const CopyPlan& plan, const DefaultColumns& defaults) {
    NodeCopy copy;
    const ::List* columns = pg::call([&] { return defaults.all_columns(plan); });
    copy.statement = node_statement(plan, columns);
    copy.relation = RelationGetRelationName(plan.relation);
    if (plan.options.binary) {
        copy.header = binary_header();
        copy.trailer = binary_trailer();
        if (::pg_get_client_encoding() != ::GetDatabaseEncoding()) {
            copy.encoding = pg_encoding_to_char(::pg_get_client_encoding());
        }
    }
    return copy;
}

Job::Job(const CopyPlan& plan, const catalog::Table& table, const catalog::Catalog& herd)
    : plan_(plan),
      herd_(herd),
      input_(source_, plan.transcoding),
      header_due_(plan.options.binary) {
    defaults_.prepare(plan, table.kind == TableKind::kDistributed ? table.key_attnum : 0);
    node_copy_ = make_node_copy(plan, defaults_);
    const std::vector<NodeId> nodes =
        table.kind == TableKind::kReference ? herd.other_nodes() : table.group->map().nodes();
    for (NodeId node : nodes) {
        if (node != herd.self) {
            nodes_.push_back(std::make_unique<NodeTarget>(node, node_copy_));
        }
    }
    router_ = std::make_unique<Router>(plan, table, herd, defaults_, local_, nodes_);
}

int Job::read_callback(void* out, int, int most) {
    return pg::enter("COPY", [&] {
        // Errors in here are not at the line that CopyFrom is at.
        ::ErrorContextCallback* before = ::error_context_stack;
        ::error_context_stack = current_job->outer_context_;
        int size = current_job->read(static_cast<char*>(out), static_cast<std::size_t>(most));
        ::error_context_stack = before;
        return size;
    });
}

// Bytes for CopyFrom, 0 at the end. A failure waits until CopyFrom has seen all that came before.
int Job::read(char* out, std::size_t most) {
    if (header_due_) {
        header_due_ = false;
        std::memcpy(out, node_copy_.header.data(), node_copy_.header.size());
        return static_cast<int>(node_copy_.header.size());
    }
    while (true) {
        std::size_t left = local_.bytes.size() - local_given_;
        if (left > 0) {
            std::size_t part = std::min(left, most);
            std::memcpy(out, local_.bytes.data() + local_given_, part);
            local_given_ += part;
            return static_cast<int>(part);
        }
        local_.bytes.clear();
        local_given_ = 0;
        if (failure_ && failure_->given_to_local) {
            return 0;
        }
        if (failure_) {
            raised_ = true;
            throw Failure(*failure_);
        }
        if (finished_) {
            return 0;
        }
        try {
            step();
        } catch (const Failure& failure) {
            failure_ = failure;
        } catch (const Error& error) {
            failure_ = Failure(error);
        }
    }
}

void Job::step() {
    if (at_end_) {
        finish_nodes();
        finished_ = true;
        return;
    }
    at_end_ = !router_->step(source_, input_);
    flush(kBatchSize);
}

void Job::flush(std::size_t least) {
    std::vector<NodeId> opening;
    for (const auto& node : nodes_) {
        if (node->batch.bytes.size() >= least && node->needs_begin()) {
            opening.push_back(node->node());
        }
    }
    if (opening.size() > 1) {
        transaction::open_links(opening);
    }
    for (const auto& node : nodes_) {
        if (node->batch.bytes.size() >= least) {
            node->flush();
        }
    }
}

void Job::finish_nodes() {
    flush(1);
    for (const auto& node : nodes_) {
        node->send_end();
    }
    for (const auto& node : nodes_) {
        node->await_end();
    }
}

// The failure of the earliest line wins, as it would in one server.
void Job::fail(const Failure& first) {
    Failure chosen = first;
    for (const auto& node : nodes_) {
        std::optional<Failure> found = node->give_up(is_about_data(first));
        if (found && is_about_data(first) && found->line < chosen.line) {
            chosen = *found;
        }
    }
    throw Failure(chosen);
}

std::uint64_t Job::run_local() {
    ::CopyFromState state = nullptr;
    pg::call([&] {
        ::List* columns = defaults_.all_columns(plan_);
        ::List* where = plan_.where_text == nullptr ? nullptr : plan_.where;
        state = ::BeginCopyFrom(plan_.parse_state, plan_.relation, reinterpret_cast<::Node*>(where),
                                nullptr, false, read_callback,
                                column_names(plan_.relation, columns), local_options(plan_, true));
    });
    source_.open(plan_.statement, ::list_length(plan_.columns), plan_.options.binary);
    std::uint64_t rows = pg::call([&] {
        bool checked = !plan_.is_reference &&
                       catalog::triggers_may_change_rows(RelationGetRelid(plan_.relation));
        return checked ? insert_checked(state, herd_) : ::CopyFrom(state);
    });
    pg::call([&] { ::EndCopyFrom(state); });
    source_.close();
    return rows;
}

std::uint64_t Job::run() {
    CurrentJob current(this);
    outer_context_ = ::error_context_stack;
    std::uint64_t rows = 0;
    std::optional<Failure> failure;
    try {
        rows = run_local();
        failure = failure_;
    } catch (const Error& error) {
        failure = mapped_failure(error, node_copy_.relation, local_.lines);
    }
    if (!failure) {
        for (const auto& node : nodes_) {
            rows += plan_.is_reference ? 0 : node->rows();
        }
        return rows;
    }
    if (failure_ && (raised_ || failure_->line < failure->line)) {
        failure = failure_;
    }
    fail(*failure);
}

}  // namespace

std::uint64_t copy_from(const CopyPlan& plan, const catalog::Table& table,
                        const catalog::Catalog& herd) {
    Job job(plan, table, herd);
    return job.run();
}

}  // namespace herd::copy
