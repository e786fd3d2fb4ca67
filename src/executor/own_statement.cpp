#include "executor/own_statement.hpp"

#include "executor/as_role.hpp"
#include "executor/checked_statement.hpp"
#include "pg/local_only.hpp"

extern "C" {
#include "executor/executor.h"
#include "executor/tstoreReceiver.h"
#include "nodes/params.h"
#include "tcop/tcopprot.h"
#include "utils/snapmgr.h"
}

namespace herd::executor {

namespace {

::ParamListInfo parameter_list(const std::vector<OwnParameter>& parameters) {
    auto count = static_cast<int>(parameters.size());
    ::ParamListInfo list = ::makeParamList(count);
    for (int i = 0; i < count; ++i) {
        const OwnParameter& parameter = parameters[static_cast<std::size_t>(i)];
        list->params[i] = {parameter.value, parameter.isnull, PARAM_FLAG_CONST, parameter.type};
    }
    return list;
}

// Privileges have been checked by the statement that this one is a part of.
::PlannedStmt* plan_own(const char* text, const std::vector<OwnParameter>& parameters,
                        ::ParamListInfo list) {
    auto count = static_cast<int>(parameters.size());
    auto* types = static_cast<Oid*>(::palloc(sizeof(Oid) * (parameters.size() + 1)));
    for (int i = 0; i < count; ++i) {
        types[i] = parameters[static_cast<std::size_t>(i)].type;
    }
    auto* raw = static_cast<::RawStmt*>(linitial(::pg_parse_query(text)));
    ::List* queries = ::pg_analyze_and_rewrite_fixedparams(raw, text, types, count, nullptr);
    if (::list_length(queries) != 1) {
        elog(ERROR, "a statement of the herd was rewritten to %d", ::list_length(queries));
    }
    auto* query = static_cast<::Query*>(linitial(queries));
    leave_out_policies(text, query);
    ::PlannedStmt* statement = ::pg_plan_query(query, text, 0, list);
    for (int i = 0; i < ::list_length(statement->rtable); ++i) {
        static_cast<::RangeTblEntry*>(::list_nth(statement->rtable, i))->requiredPerms = 0;
    }
    return statement;
}

std::uint64_t execute(::PlannedStmt* statement, const char* text, ::ParamListInfo parameters,
                      ::Tuplestorestate* rows) {
    ::DestReceiver* receiver = ::None_Receiver;
    if (rows != nullptr) {
        receiver = ::CreateDestReceiver(DestTuplestore);
        ::SetTuplestoreDestReceiverParams(receiver, rows, CurrentMemoryContext, true, nullptr,
                                          nullptr);
    }
    // The rows are as the statement has locked them, which may be later than its own snapshot.
    ::PushActiveSnapshot(::GetTransactionSnapshot());
    ::QueryDesc* query = ::CreateQueryDesc(statement, text, ::GetActiveSnapshot(), InvalidSnapshot,
                                           receiver, parameters, nullptr, 0);
    ::ExecutorStart(query, 0);
    ::ExecutorRun(query, ForwardScanDirection, 0, true);
    ::ExecutorFinish(query);
    std::uint64_t processed = query->estate->es_processed;
    ::ExecutorEnd(query);
    ::FreeQueryDesc(query);
    ::PopActiveSnapshot();
    if (rows != nullptr) {
        receiver->rDestroy(receiver);
    }
    return processed;
}

}  // namespace

std::uint64_t run_on_own_rows(const std::string& text, const std::vector<OwnParameter>& parameters,
                              Oid role, ::Tuplestorestate* rows) {
    ::MemoryContext outer = CurrentMemoryContext;
    ::MemoryContext memory = pg::call(
        [&] { return AllocSetContextCreate(outer, "herd own statement", ALLOCSET_DEFAULT_SIZES); });
    ::MemoryContext old = MemoryContextSwitchTo(memory);
    ::ParamListInfo list = pg::call([&] { return parameter_list(parameters); });
    ::PlannedStmt* statement = nullptr;
    {
        AsUser as(role);
        pg::OwnRows own;
        statement = pg::call([&] { return plan_own(text.c_str(), parameters, list); });
    }
    std::uint64_t processed =
        pg::call([&] { return execute(statement, text.c_str(), list, rows); });
    MemoryContextSwitchTo(old);
    pg::call([&] { ::MemoryContextDelete(memory); });
    return processed;
}

}  // namespace herd::executor
