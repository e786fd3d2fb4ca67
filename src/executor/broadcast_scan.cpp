#include "executor/broadcast_scan.hpp"

#include <algorithm>

extern "C" {
#include "access/parallel.h"
#include "access/tupmacs.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "port/atomics.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
}

namespace herd::executor {

namespace {

// Rows that a process takes at once of a scan that several share: few of few, each of which may be
// much work for the rest of the plan.
constexpr int kMostAtOnce = 256;
constexpr int kShares = 32;

// An array, and where its next element is.
struct Column {
    const char* data;
    const bits8* nulls;  // nullptr: none
    int rows;
    int row;
    int16 length;
    bool by_value;
    char alignment;
};

struct SharedState {
    ::pg_atomic_uint64 taken;  // rows
};

struct ScanState {
    ::CustomScanState custom;
    ::List* arrays;  // of ExprState
    Column* columns;
    SharedState* shared;  // nullptr: all rows are this process's
    bool open;
    int rows;
    int row;  // the next one to read
    int end;  // of the rows that are this process's now
};

ScanState* state_of(::CustomScanState* node) {
    return reinterpret_cast<ScanState*>(node);
}

void begin(::CustomScanState* node, ::EState*, int) {
    auto* state = state_of(node);
    auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
    state->arrays = ::ExecInitExprList(scan->custom_exprs, &node->ss.ps);
    int count = ::list_length(state->arrays);
    state->columns =
        static_cast<Column*>(::palloc0(sizeof(Column) * static_cast<Size>(std::max(count, 1))));
}

void open_column(ScanState* state, int number) {
    Column& column = state->columns[number];
    auto* expression = static_cast<::ExprState*>(::list_nth(state->arrays, number));
    bool null = false;
    Datum value = ::ExecEvalExpr(expression, state->custom.ss.ps.ps_ExprContext, &null);
    column.row = 0;
    column.rows = 0;
    if (null) {
        return;
    }
    ::ArrayType* array = DatumGetArrayTypeP(value);
    ::get_typlenbyvalalign(ARR_ELEMTYPE(array), &column.length, &column.by_value,
                           &column.alignment);
    column.data = ARR_DATA_PTR(array);
    column.nulls = ARR_NULLBITMAP(array);
    column.rows = ::ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
}

// The values of parameters are there when the first row is asked for, and not before.
void open_columns(ScanState* state) {
    ::MemoryContext old = MemoryContextSwitchTo(state->custom.ss.ps.state->es_query_cxt);
    state->rows = 0;
    for (int i = 0; i < ::list_length(state->arrays); ++i) {
        open_column(state, i);
        state->rows = std::max(state->rows, state->columns[i].rows);
    }
    MemoryContextSwitchTo(old);
    state->row = 0;
    state->end = state->shared == nullptr ? state->rows : 0;
    state->open = true;
}

Datum next_value(Column& column, bool* null) {
    int row = column.row++;
    *null = row >= column.rows ||
            (column.nulls != nullptr && (column.nulls[row / 8] & (1 << (row % 8))) == 0);
    if (*null) {
        return 0;
    }
    Datum value = fetch_att(column.data, column.by_value, column.length);
    column.data = att_addlength_pointer(column.data, column.length, column.data);
    column.data = reinterpret_cast<const char*>(
        att_align_nominal(reinterpret_cast<uintptr_t>(column.data), column.alignment));
    return value;
}

void skip_to(Column& column, int row) {
    if (column.length > 0 && column.nulls == nullptr) {
        auto step = att_align_nominal(static_cast<uintptr_t>(column.length), column.alignment);
        column.data += step * static_cast<uintptr_t>(row - column.row);
        column.row = row;
        return;
    }
    bool null = false;
    while (column.row < row) {
        (void)next_value(column, &null);
    }
}

// The next rows for this process; false: there are none left.
bool take_share(ScanState* state) {
    if (state->shared == nullptr) {
        return false;
    }
    int share = std::clamp(state->rows / kShares, 1, kMostAtOnce);
    uint64 first = ::pg_atomic_fetch_add_u64(&state->shared->taken, static_cast<uint64>(share));
    if (first >= static_cast<uint64>(state->rows)) {
        return false;
    }
    state->row = static_cast<int>(first);
    state->end = std::min(state->rows - state->row, share) + state->row;
    for (int i = 0; i < ::list_length(state->arrays); ++i) {
        skip_to(state->columns[i], state->row);
    }
    return true;
}

::TupleTableSlot* access(::ScanState* scan) {
    auto* state = reinterpret_cast<ScanState*>(scan);
    ::TupleTableSlot* slot = scan->ss_ScanTupleSlot;
    ::ExecClearTuple(slot);
    if (!state->open) {
        open_columns(state);
    }
    if (state->row >= state->end && !take_share(state)) {
        return slot;
    }
    int count = ::list_length(state->arrays);
    for (int i = 0; i < count; ++i) {
        slot->tts_values[i] = next_value(state->columns[i], &slot->tts_isnull[i]);
    }
    ++state->row;
    return ::ExecStoreVirtualTuple(slot);
}

bool recheck(::ScanState*, ::TupleTableSlot*) {
    return true;
}

::TupleTableSlot* execute(::CustomScanState* node) {
    return ::ExecScan(&node->ss, access, recheck);
}

void end(::CustomScanState*) {}

void rescan(::CustomScanState* node) {
    ::ExecScanReScan(&node->ss);
    state_of(node)->open = false;
}

Size estimate_shared(::CustomScanState*, ::ParallelContext*) {
    return sizeof(SharedState);
}

void initialize_shared(::CustomScanState* node, ::ParallelContext*, void* place) {
    auto* state = state_of(node);
    state->shared = static_cast<SharedState*>(place);
    state->open = false;
    ::pg_atomic_init_u64(&state->shared->taken, 0);
}

void reinitialize_shared(::CustomScanState* node, ::ParallelContext*, void*) {
    ::pg_atomic_write_u64(&state_of(node)->shared->taken, 0);
}

void join_shared(::CustomScanState* node, ::shm_toc*, void* place) {
    state_of(node)->shared = static_cast<SharedState*>(place);
}

void explain(::CustomScanState* node, ::List*, ::ExplainState* es) {
    auto* scan = reinterpret_cast<::CustomScan*>(node->ss.ps.plan);
    ::ExplainPropertyText("Rows of", strVal(linitial(scan->custom_private)), es);
}

constexpr ::CustomExecMethods kExecMethods = [] {
    ::CustomExecMethods methods{};
    methods.CustomName = "HerdBroadcast";
    methods.BeginCustomScan = begin;
    methods.ExecCustomScan = execute;
    methods.EndCustomScan = end;
    methods.ReScanCustomScan = rescan;
    methods.EstimateDSMCustomScan = estimate_shared;
    methods.InitializeDSMCustomScan = initialize_shared;
    methods.ReInitializeDSMCustomScan = reinitialize_shared;
    methods.InitializeWorkerCustomScan = join_shared;
    methods.ExplainCustomScan = explain;
    return methods;
}();

::Node* create_state(::CustomScan*) {
    auto* state = reinterpret_cast<ScanState*>(newNode(sizeof(ScanState), T_CustomScanState));
    state->custom.methods = &kExecMethods;
    return reinterpret_cast<::Node*>(state);
}

constexpr ::CustomScanMethods kScanMethods = {"HerdBroadcast", create_state};

}  // namespace

const ::CustomScanMethods* broadcast_scan_methods() {
    return &kScanMethods;
}

void initialize_broadcast_scan() {
    ::RegisterCustomScanMethods(&kScanMethods);
}

}  // namespace herd::executor
