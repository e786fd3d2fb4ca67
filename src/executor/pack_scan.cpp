// HerdPack, the custom scan over a query's plan that makes blocks of its rows.
#include "executor/pack_scan.hpp"

#include <cstring>

#include "executor/row_bytes.hpp"
#include "pg/key_hash.hpp"
#include "routing/row_packing.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "utils/memutils.h"
}

namespace herd::executor {

namespace {

constexpr int kColumns = 3;
constexpr const char* kNames[kColumns] = {"owner", "rows", "count"};
constexpr Oid kTypes[kColumns] = {INT4OID, BYTEAOID, INT4OID};

// A block is handed on when it has that many bytes.
constexpr std::size_t kBlockSize = 1U << 15;

class Packer {
public:
    Packer(const char* mark, ::TupleDesc rows);

    // PostgreSQL style: reads rows until a block is full, or there are no more. Returns the block's
    // number, -1 at the end.
    int fill(::PlanState* source, ::ExprContext* context);
    // The block as values of a row, allocated in the current context; it is empty then.
    void take(int number, Datum* values);

private:
    struct Block {
        NodeId owner;
        std::string rows;
        int count = 0;
    };

    [[nodiscard]] std::size_t block_of(const ::TupleTableSlot* row) const;

    routing::RowPacking packing_;
    std::vector<std::size_t> block_of_range_;
    std::vector<Block> blocks_;
    RowWriter writer_;
    pg::KeyHasher hasher_;
    int key_column_ = 0;
    bool at_end_ = false;
};

struct PackState {
    ::CustomScanState custom;
    Packer* packer;
    ::MemoryContext memory;  // of the block at hand
};

PackState* state_of(::CustomScanState* node) {
    return reinterpret_cast<PackState*>(node);
}

std::vector<Oid> types_of(const routing::RowPacking& packing, ::TupleDesc rows) {
    std::vector<Oid> types;
    for (const routing::PackedField& field : packing.fields) {
        types.push_back(field.column == 0 ? InvalidOid
                                          : TupleDescAttr(rows, field.column - 1)->atttypid);
    }
    return types;
}

Packer::Packer(const char* mark, ::TupleDesc rows)
    : packing_(routing::read_pack_mark(mark)), writer_(packing_.fields, types_of(packing_, rows)) {
    for (NodeId owner : packing_.owners) {
        std::size_t number = 0;
        while (number < blocks_.size() && blocks_[number].owner != owner) {
            ++number;
        }
        if (number == blocks_.size()) {
            blocks_.push_back({owner, {}, 0});
        }
        block_of_range_.push_back(number);
    }
    if (packing_.key == 0) {
        blocks_.push_back({NodeId{0}, {}, 0});
        return;
    }
    key_column_ = packing_.fields.at(static_cast<std::size_t>(packing_.key) - 1).column;
    if (key_column_ > 0) {
        Oid type = TupleDescAttr(rows, key_column_ - 1)->atttypid;
        hasher_ = pg::call([&] { return pg::key_hasher(type, packing_.key_collation); });
    }
}

std::size_t Packer::block_of(const ::TupleTableSlot* row) const {
    if (packing_.key == 0) {
        return 0;
    }
    bool isnull = key_column_ == 0 || row->tts_isnull[key_column_ - 1];
    std::int64_t hash =
        isnull ? pg::kHashOfNull : pg::hash_key(hasher_, row->tts_values[key_column_ - 1], false);
    return block_of_range_[packing_.range_of(hash)];
}

int Packer::fill(::PlanState* source, ::ExprContext* context) {
    while (!at_end_) {
        ::ResetExprContext(context);
        ::TupleTableSlot* row = ::ExecProcNode(source);
        if (TupIsNull(row)) {
            at_end_ = true;
            break;
        }
        slot_getallattrs(row);
        ::MemoryContext old = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
        std::size_t number = block_of(row);
        Block& block = blocks_[number];
        writer_.append(block.rows, row);
        MemoryContextSwitchTo(old);
        ++block.count;
        if (block.rows.size() >= kBlockSize) {
            return static_cast<int>(number);
        }
    }
    for (std::size_t number = 0; number < blocks_.size(); ++number) {
        if (blocks_[number].count > 0) {
            return static_cast<int>(number);
        }
    }
    return -1;
}

void Packer::take(int number, Datum* values) {
    Block& block = blocks_[static_cast<std::size_t>(number)];
    Size size = block.rows.size() + VARHDRSZ;
    auto* bytes = static_cast<::bytea*>(::palloc(size));
    SET_VARSIZE(bytes, size);
    std::memcpy(VARDATA(bytes), block.rows.data(), block.rows.size());
    values[0] = Int32GetDatum(block.owner.value);
    values[1] = PointerGetDatum(bytes);
    values[2] = Int32GetDatum(block.count);
    block.rows.clear();
    block.count = 0;
}

void begin(::CustomScanState* node, ::EState* estate, int eflags) {
    auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
    auto* source =
        ::ExecInitNode(static_cast<::Plan*>(linitial(scan->custom_plans)), estate, eflags);
    node->custom_ps = ::list_make1(source);
    if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) != 0) {
        return;
    }
    pg::enter("HerdPack", [&] {
        const char* mark = strVal(linitial(scan->custom_private));
        state_of(node)->packer =
            pg::make_in<Packer>(estate->es_query_cxt, mark, ::ExecGetResultType(source));
    });
    state_of(node)->memory =
        AllocSetContextCreate(estate->es_query_cxt, "herd block", ALLOCSET_SMALL_SIZES);
}

::TupleTableSlot* execute(::CustomScanState* node) {
    PackState* state = state_of(node);
    ::TupleTableSlot* slot = node->ss.ss_ScanTupleSlot;
    ::ExecClearTuple(slot);
    auto* source = static_cast<::PlanState*>(linitial(node->custom_ps));
    int number = pg::enter("HerdPack", [&] {
        return pg::call([&] { return state->packer->fill(source, node->ss.ps.ps_ExprContext); });
    });
    if (number < 0) {
        return slot;
    }
    ::MemoryContextReset(state->memory);
    ::MemoryContext old = MemoryContextSwitchTo(state->memory);
    state->packer->take(number, slot->tts_values);
    MemoryContextSwitchTo(old);
    for (int i = 0; i < kColumns; ++i) {
        slot->tts_isnull[i] = false;
    }
    return ::ExecStoreVirtualTuple(slot);
}

void end(::CustomScanState* node) {
    ::ExecEndNode(static_cast<::PlanState*>(linitial(node->custom_ps)));
}

void rescan(::CustomScanState*) {
    elog(ERROR, "blocks of rows can't be read again");
}

constexpr ::CustomExecMethods kExecMethods = [] {
    ::CustomExecMethods methods{};
    methods.CustomName = "HerdPack";
    methods.BeginCustomScan = begin;
    methods.ExecCustomScan = execute;
    methods.EndCustomScan = end;
    methods.ReScanCustomScan = rescan;
    return methods;
}();

::Node* create_state(::CustomScan*) {
    auto* state = reinterpret_cast<PackState*>(newNode(sizeof(PackState), T_CustomScanState));
    state->custom.methods = &kExecMethods;
    return reinterpret_cast<::Node*>(state);
}

constexpr ::CustomScanMethods kScanMethods = {"HerdPack", create_state};

::CustomScan* scan_of_blocks(::Plan* source) {
    auto* scan = makeNode(CustomScan);
    for (int i = 0; i < kColumns; ++i) {
        auto column = static_cast<::AttrNumber>(i + 1);
        auto* nothing = reinterpret_cast<::Expr*>(::makeNullConst(kTypes[i], -1, InvalidOid));
        auto* value =
            reinterpret_cast<::Expr*>(::makeVar(INDEX_VAR, column, kTypes[i], -1, InvalidOid, 0));
        scan->custom_scan_tlist =
            ::lappend(scan->custom_scan_tlist,
                      ::makeTargetEntry(nothing, column, ::pstrdup(kNames[i]), false));
        scan->scan.plan.targetlist =
            ::lappend(scan->scan.plan.targetlist,
                      ::makeTargetEntry(value, column, ::pstrdup(kNames[i]), false));
    }
    scan->scan.plan.startup_cost = source->startup_cost;
    scan->scan.plan.total_cost = source->total_cost;
    scan->scan.plan.plan_rows = source->plan_rows;
    scan->scan.plan.plan_width = source->plan_width;
    scan->scan.plan.extParam = ::bms_copy(source->extParam);
    scan->scan.plan.allParam = ::bms_copy(source->allParam);
    scan->custom_plans = ::list_make1(source);
    scan->methods = &kScanMethods;
    return scan;
}

}  // namespace

::TupleDesc block_description() {
    ::TupleDesc description = ::CreateTemplateTupleDesc(kColumns);
    for (int i = 0; i < kColumns; ++i) {
        ::TupleDescInitEntry(description, static_cast<::AttrNumber>(i + 1), kNames[i], kTypes[i],
                             -1, 0);
    }
    return description;
}

void pack_rows(::PlannedStmt* statement, const char* text) {
    if (statement->commandType != CMD_SELECT || !routing::has_pack_mark(text)) {
        return;
    }
    ::CustomScan* scan = scan_of_blocks(statement->planTree);
    const char* end = std::strstr(text, "*/");
    Size size = end == nullptr ? std::strlen(text) : static_cast<Size>(end - text) + 2;
    scan->custom_private = ::list_make1(::makeString(::pnstrdup(text, size)));
    statement->planTree = &scan->scan.plan;
}

void initialize_pack_scan() {
    ::RegisterCustomScanMethods(&kScanMethods);
}

}  // namespace herd::executor
