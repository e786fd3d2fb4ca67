// The steps of CopyFrom(), in its order, for tables and partitioned tables without transition
// tables, which distributed tables do not have.
#include "copy/checked_insert.hpp"

#include "catalog/own_row.hpp"
#include "pg/compat.hpp"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "commands/copyfrom_internal.h"
#include "commands/trigger.h"
#include "executor/execPartition.h"
#include "executor/executor.h"
#include "executor/nodeModifyTable.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace herd::copy {

namespace {

struct Insert {
    ::CopyFromState state;
    const catalog::Catalog* herd;
    ::EState* executor;
    ::ModifyTableState* modify;
    ::PartitionTupleRouting* routing;  // nullptr: not a partitioned table
    ::TupleTableSlot* slot;
    const ::ResultRelInfo* checked;  // the table or partition that the check is of
    catalog::OwnRowCheck check;
};

void begin(Insert& insert) {
    ::CopyFromState state = insert.state;
    ::EState* executor = insert.executor = ::CreateExecutorState();
    ::ExecInitRangeTable(executor, state->range_table);
    ::ResultRelInfo* target = makeNode(ResultRelInfo);
    ::ExecInitResultRelation(executor, target, 1);
    ::CheckValidResultRel(target, CMD_INSERT);
    ::ExecOpenIndices(target, false);

    ::ModifyTableState* modify = insert.modify = makeNode(ModifyTableState);
    modify->ps.state = executor;
    modify->operation = CMD_INSERT;
    modify->mt_nrels = 1;
    modify->resultRelInfo = target;
    modify->rootResultRelInfo = target;
    if (state->rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE) {
        insert.routing = ::ExecSetupPartitionTupleRouting(executor, state->rel);
    }
    if (state->whereClause != nullptr) {
        state->qualexpr =
            ::ExecInitQual(reinterpret_cast<::List*>(state->whereClause), &modify->ps);
    }
    insert.slot = ::table_slot_create(state->rel, &executor->es_tupleTable);
}

// The next row of the data that passes the WHERE clause; false at the end.
bool read_row(const Insert& insert) {
    ::CopyFromState state = insert.state;
    ::ExprContext* context = GetPerTupleExprContext(insert.executor);
    while (true) {
        CHECK_FOR_INTERRUPTS();
        ResetPerTupleExprContext(insert.executor);
        ::ExecClearTuple(insert.slot);
        ::MemoryContext before = ::MemoryContextSwitchTo(GetPerTupleMemoryContext(insert.executor));
        bool found =
            ::NextCopyFrom(state, context, insert.slot->tts_values, insert.slot->tts_isnull);
        ::MemoryContextSwitchTo(before);
        if (!found) {
            return false;
        }
        ::ExecStoreVirtualTuple(insert.slot);
        insert.slot->tts_tableOid = RelationGetRelid(state->rel);
        context->ecxt_scantuple = insert.slot;
        if (state->whereClause == nullptr || ::ExecQual(state->qualexpr, context)) {
            return true;
        }
    }
}

void require_own(Insert& insert, const ::ResultRelInfo* target, ::TupleTableSlot* slot) {
    ::Oid relid = RelationGetRelid(target->ri_RelationDesc);
    if (insert.checked != target) {
        const catalog::Table* table = insert.herd->find(relid);
        if (table == nullptr || table->group == nullptr) {
            elog(ERROR, "table %u is not known to the herd", relid);
        }
        insert.check =
            catalog::own_row_check(*insert.herd, *table, ::get_atttype(relid, table->key_attnum));
        insert.checked = target;
    }
    bool isnull = false;
    Datum key = ::slot_getattr(slot, insert.check.table->key_attnum, &isnull);
    pg::enter("COPY", [&] { catalog::require_own_row(insert.check, key, isnull); });
}

// Whether it was stored: a trigger may skip it.
bool store_row(Insert& insert) {
    ::ResultRelInfo* target = insert.modify->resultRelInfo;
    ::TupleTableSlot* slot = insert.slot;
    if (insert.routing != nullptr) {
        target = ::ExecFindPartition(insert.modify, target, insert.routing, slot, insert.executor);
        if (::AttrMap* map = pg::compat::partition_map(target, insert.executor)) {
            slot = ::execute_attr_map_slot(map, slot, target->ri_PartitionTupleSlot);
        }
        slot->tts_tableOid = RelationGetRelid(target->ri_RelationDesc);
    }
    if (target->ri_RelationDesc->rd_rel->relkind != RELKIND_RELATION) {
        ereport(ERROR, (errcode(sqlstate::kStatementNotCovered.code),
                        errmsg("cannot copy to partition \"%s\", which is not a plain table",
                               RelationGetRelationName(target->ri_RelationDesc))));
    }
    ItemPointerSetInvalid(&slot->tts_tid);
    ::ExecSimpleRelationInsert(target, insert.executor, slot);
    if (!ItemPointerIsValid(&slot->tts_tid)) {
        return false;
    }
    // The row is as the triggers have left it; an error takes it away again.
    require_own(insert, target, slot);
    return true;
}

void end(const Insert& insert) {
    ::ExecASInsertTriggers(insert.executor, insert.modify->resultRelInfo, nullptr);
    ::AfterTriggerEndQuery(insert.executor);
    ::ExecResetTupleTable(insert.executor->es_tupleTable, false);
    if (insert.routing != nullptr) {
        ::ExecCleanupTupleRouting(insert.modify, insert.routing);
    }
    ::ExecCloseResultRelations(insert.executor);
    ::ExecCloseRangeTableRelations(insert.executor);
    ::FreeExecutorState(insert.executor);
}

}  // namespace

std::uint64_t insert_checked(::CopyFromState state, const catalog::Catalog& herd) {
    Insert insert = {};
    insert.state = state;
    insert.herd = &herd;
    begin(insert);
    ::AfterTriggerBeginQuery();
    ::ExecBSInsertTriggers(insert.executor, insert.modify->resultRelInfo);
    ::ErrorContextCallback callback;
    callback.callback = ::CopyFromErrorCallback;
    callback.arg = state;
    callback.previous = ::error_context_stack;
    ::error_context_stack = &callback;
    std::uint64_t rows = 0;
    while (read_row(insert)) {
        rows += store_row(insert) ? 1 : 0;
    }
    ::error_context_stack = callback.previous;
    end(insert);
    return rows;
}

}  // namespace herd::copy
