// Entry points of the kind "SQL function".
#include <chrono>
#include <optional>
#include <string>

#include "fault.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
}

namespace herd::boundary {

namespace {

std::string text_argument(::FunctionCallInfo fcinfo, int number) {
    const char* value = pg::call([&] { return ::text_to_cstring(PG_GETARG_TEXT_PP(number)); });
    return value;
}

::Datum text_result(const std::string& text) {
    return pg::call([&] { return PointerGetDatum(::cstring_to_text(text.c_str())); });
}

// The first value of a statement, in the caller's memory context; null when there is none.
const char* first_value(const std::string& statement) {
    return pg::call([&]() -> const char* {
        ::MemoryContext caller = ::CurrentMemoryContext;
        ::SPI_connect();
        ::SPI_execute(statement.c_str(), false, 1);
        const char* value = nullptr;
        if (::SPI_processed > 0 && ::SPI_tuptable != nullptr) {
            value = ::SPI_getvalue(::SPI_tuptable->vals[0], ::SPI_tuptable->tupdesc, 1);
            value = value == nullptr ? nullptr : ::MemoryContextStrdup(caller, value);
        }
        ::SPI_finish();
        return value;
    });
}

std::optional<Error> error_of(const std::string& statement) {
    const Tracked tracked;
    try {
        first_value(statement);
    } catch (const Error& error) {
        return error;
    }
    return std::nullopt;
}

std::optional<Error> error_in_subtransaction(const std::string& statement) {
    ::MemoryContext context = ::CurrentMemoryContext;
    ::ResourceOwner owner = ::CurrentResourceOwner;
    pg::call([] { ::BeginInternalSubTransaction(nullptr); });
    std::optional<Error> error = error_of(statement);
    pg::call([&] {
        if (error) {
            ::RollbackAndReleaseCurrentSubTransaction();
        } else {
            ::ReleaseCurrentSubTransaction();
        }
        ::MemoryContextSwitchTo(context);
        ::CurrentResourceOwner = owner;
    });
    return error;
}

// Nanoseconds per call.
template <typename F>
double cost_of(int calls, F&& f) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) {
        f();
    }
    const std::chrono::duration<double, std::nano> elapsed =
        std::chrono::steady_clock::now() - begin;
    return elapsed.count() / calls;
}

// A function that the compiler neither inlines nor drops.
__attribute__((noinline)) void do_nothing() {
    __asm__ volatile("" ::: "memory");
}

double cost_of_enter(int calls) {
    // Entry points are called by PostgreSQL, which C++ calls through a guard.
    return pg::call(
        [&] { return cost_of(calls, [] { pg::enter("boundary_cost", [] { do_nothing(); }); }); });
}

void catch_one() {
    try {
        pg::call([] { elog(ERROR, "caught"); });
    } catch (const Error&) {
    }
}

}  // namespace

HERD_SQL_FUNCTION(boundary_arm) {
    arm(text_argument(fcinfo, 0), text_argument(fcinfo, 1));
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(boundary_fail) {
    const Tracked tracked;
    fail("function", text_argument(fcinfo, 0));
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(boundary_live) {
    return Int32GetDatum(Tracked::live());
}

HERD_SQL_FUNCTION(boundary_query) {
    const Tracked tracked;
    const char* value = first_value(text_argument(fcinfo, 0));
    if (value == nullptr) {
        PG_RETURN_NULL();
    }
    return text_result(value);
}

HERD_SQL_FUNCTION(boundary_catch) {
    const Tracked tracked;
    const std::optional<Error> error = error_in_subtransaction(text_argument(fcinfo, 0));
    return text_result(error ? error->state().text().data() : "00000");
}

HERD_SQL_FUNCTION(boundary_restores) {
    ::MemoryContext context = ::CurrentMemoryContext;
    ::ErrorContextCallback* callbacks = ::error_context_stack;
    HOLD_INTERRUPTS();
    HOLD_CANCEL_INTERRUPTS();
    const uint32 held = InterruptHoldoffCount;
    const uint32 cancels_held = QueryCancelHoldoffCount;
    catch_one();
    const bool counts = InterruptHoldoffCount == held && QueryCancelHoldoffCount == cancels_held;
    RESUME_CANCEL_INTERRUPTS();
    RESUME_INTERRUPTS();
    // An error that is caught while the current context is the one that error reports live in.
    ::MemoryContextSwitchTo(::ErrorContext);
    catch_one();
    const bool error_context = ::CurrentMemoryContext == ::ErrorContext;
    ::MemoryContextSwitchTo(context);
    PG_RETURN_BOOL(counts && error_context && ::error_context_stack == callbacks);
}

HERD_SQL_FUNCTION(boundary_unguarded) {
    elog(ERROR, "no guard was here");
    PG_RETURN_VOID();
}

HERD_SQL_FUNCTION(boundary_cost) {
    const int calls = PG_GETARG_INT32(0);
    ::Datum values[] = {
        Float8GetDatum(cost_of(calls, [] { do_nothing(); })),
        Float8GetDatum(cost_of(calls, [] { pg::call([] { do_nothing(); }); })),
        Float8GetDatum(cost_of_enter(calls)),
        Float8GetDatum(cost_of(calls / 1000 + 1, [] { catch_one(); })),
    };
    return pg::call([&] {
        ::TupleDesc description;
        ::get_call_result_type(fcinfo, nullptr, &description);
        bool nulls[] = {false, false, false, false};
        return HeapTupleGetDatum(::heap_form_tuple(::BlessTupleDesc(description), values, nulls));
    });
}

}  // namespace herd::boundary
