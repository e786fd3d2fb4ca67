// Reads the data record by record and puts each into the batch of the server that owns its key; of
// a reference table, into every batch.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "catalog/herd_catalog.hpp"
#include "copy/copy_plan.hpp"
#include "copy/default_columns.hpp"
#include "copy/key_reader.hpp"
#include "copy/row_judge.hpp"
#include "copy/source.hpp"
#include "copy/target.hpp"

namespace herd::copy {

class Router {
public:
    // nodes: the targets that the table has besides this server.
    Router(const CopyPlan& plan, const catalog::Table& table, const catalog::Catalog& herd,
           DefaultColumns& defaults, Batch& local, std::vector<std::unique_ptr<NodeTarget>>& nodes);

    // Reads some more input and distributes it; false at the end of the data. Throws Failure; the
    // local batch may then end with the bad record, for PostgreSQL to judge.
    bool step(Source& source, Input& input);

private:
    void route();
    void route_record(const Record& record);
    void make_prefix(const Record& record);
    void give_to_local(const Record& record);
    bool take_header(const Record& record);
    bool fill(Input& input);
    [[noreturn]] void handle(const Error& error);
    [[nodiscard]] Failure located(const Error& error, std::uint64_t line) const;
    static void add_context(void* argument);
    void map_owners(const catalog::Table& table, const catalog::Catalog& herd,
                    std::vector<std::unique_ptr<NodeTarget>>& nodes);

    const CopyPlan& plan_;
    DefaultColumns& defaults_;
    Batch& local_;
    FieldFormat format_;
    std::unique_ptr<RecordReader> reader_;
    std::unique_ptr<RowJudge> judge_;  // where nodes can't evaluate the WHERE clause
    std::unique_ptr<KeyReader> key_;   // null for a reference table
    const ShardMap* shards_ = nullptr;
    std::vector<Batch*> owners_;  // by the shard's place in the map; or all batches
    OutputSettings settings_;
    ::MemoryContext memory_;  // for one step
    std::string prefix_;
    int header_lines_ = 0;
    bool judging_ = false;
    Scan scan_ = Scan::kNeedInput;
};

}  // namespace herd::copy
