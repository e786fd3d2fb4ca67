// The C++/PostgreSQL boundary: where C++ exceptions and PostgreSQL errors turn into each other.
//
//   pg::call(f)          run a few PostgreSQL calls from C++; an ereport(ERROR) arrives as
//                        herd::Error. f may borrow by reference, and must own nothing: a longjmp
//                        skips destructors between the ereport and this frame.
//   pg::enter(name, f)   run C++ from an entry point that PostgreSQL calls; a C++ exception leaves
//                        as ereport(ERROR), with every field.
//   pg::enter_noexcept   the same for callbacks that must not fail (end of transaction): WARNING.
//
// Who catches an Error either ends the transaction or lets it go on: locks, snapshots and half-done
// writes of what failed are still there. To catch one also clears an error that PostgreSQL was
// handling already, so callbacks at abort call nothing that is likely to fail.
//
// This file and guard.cpp are the only ones that may name sigsetjmp, PG_TRY, PG_exception_stack.
// docs/boundary.md explains why this is sound, and what it costs.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "base/error.hpp"

// postgres.h comes after the C++ headers and brings macros that clash with them.
extern "C" {
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
}

namespace herd::pg {

// What an ereport(ERROR) leaves changed and a catcher has to put back.
class ErrorState {
public:
    ErrorState() noexcept
        : exception_stack_(::PG_exception_stack),
          context_stack_(::error_context_stack),
          memory_context_(::CurrentMemoryContext),
          interrupt_holdoff_(::InterruptHoldoffCount),
          query_cancel_holdoff_(::QueryCancelHoldoffCount) {}
    ~ErrorState() { restore_stacks(); }
    ErrorState(const ErrorState&) = delete;
    ErrorState& operator=(const ErrorState&) = delete;

    void restore_stacks() const noexcept {
        ::PG_exception_stack = exception_stack_;
        ::error_context_stack = context_stack_;
    }

    // After a longjmp: everything back as it was.
    void restore() const noexcept;
    // Throws the pending PostgreSQL error as herd::Error and clears PostgreSQL's error state.
    [[noreturn]] void throw_captured() const;

private:
    sigjmp_buf* exception_stack_;
    ::ErrorContextCallback* context_stack_;
    ::MemoryContext memory_context_;
    uint32 interrupt_holdoff_;
    uint32 query_cancel_holdoff_;
};

// Runs f, which calls PostgreSQL. Costs some 10 ns; guard batches, never rows.
template <typename F>
auto call(F&& f) -> std::invoke_result_t<F&> {
    using Result = std::invoke_result_t<F&>;
    static_assert(std::is_trivially_destructible_v<std::remove_reference_t<F>>,
                  "capture by reference");
    static_assert(std::is_void_v<Result> || std::is_trivially_destructible_v<Result>,
                  "return a Datum, a pointer or plain data");
    ErrorState saved;
    sigjmp_buf jump;
    // 0: the signal mask is not saved, which would cost a system call.
    if (sigsetjmp(jump, 0) == 0) {
        ::PG_exception_stack = &jump;
        return f();
    }
    saved.throw_captured();
}

// An error on its way from C++ to PostgreSQL.
struct Report {
    // First, so that FreeErrorData frees the whole.
    ::ErrorData data;
    bool context_complete;
    bool allocated;
};

// The current C++ exception as a report in ErrorContext; never throws, never longjmps.
Report* describe_current_exception(const char* where) noexcept;

// Raises what describe_current_exception made. No C++ object may be alive in the caller.
[[noreturn]] void raise(Report* report);

// Reports it as a WARNING instead, swallowing anything that goes wrong.
void warn(Report* report) noexcept;

// The tripwire. An open entry point stands in a list; one that a longjmp has skipped is still there
// when PostgreSQL is back at the handler that was in force when it began. It is reported as a
// WARNING by the next entry point or end of transaction, because its destructors did not run.
class OpenEntry {
public:
    explicit OpenEntry(const char* where) noexcept;
    ~OpenEntry();
    OpenEntry(const OpenEntry&) = delete;
    OpenEntry& operator=(const OpenEntry&) = delete;

private:
    int position_;
};

// Lets the tripwire look at the end of each transaction; called once, by _PG_init.
void watch_transactions();

template <typename F>
auto enter(const char* where, F&& body) -> std::invoke_result_t<F&> {
    using Result = std::invoke_result_t<F&>;
    static_assert(std::is_trivially_destructible_v<std::remove_reference_t<F>>,
                  "capture by reference");
    static_assert(std::is_void_v<Result> || std::is_trivially_destructible_v<Result>,
                  "return a Datum, a pointer or plain data");
    Report* report;
    try {
        OpenEntry entry(where);
        return body();
    } catch (...) {
        report = describe_current_exception(where);
    }
    // The catch is over and no C++ object is alive: from here a longjmp is harmless.
    raise(report);
}

template <typename F>
void enter_noexcept(const char* where, F&& body) noexcept {
    Report* report = nullptr;
    try {
        OpenEntry entry(where);
        body();
    } catch (...) {
        report = describe_current_exception(where);
    }
    if (report != nullptr) {
        warn(report);
    }
}

// Runs f, then cleanup, whichever way f ends: normally, by ereport(ERROR), which goes on with all
// its fields, or by a C++ exception. For hooks in PostgreSQL style around PostgreSQL's own
// functions: what ereport goes on to skip must own nothing. cleanup must not fail.
template <typename F, typename Cleanup>
void run_finally(F&& f, Cleanup&& cleanup) {
    // volatile: set behind a longjmp, which may bring registers back as they were.
    volatile bool failed = false;
    {
        ErrorState saved;
        sigjmp_buf jump;
        if (sigsetjmp(jump, 0) == 0) {
            ::PG_exception_stack = &jump;
            try {
                f();
            } catch (...) {
                cleanup();
                throw;
            }
        } else {
            // Not the holdoff counts: the handler that the error goes on to expects zeros.
            saved.restore_stacks();
            failed = true;
        }
    }
    cleanup();
    if (failed) {
        ::pg_re_throw();
    }
}

// CHECK_FOR_INTERRUPTS for C++ code: a cancel arrives as herd::Error with 57014.
inline void check_interrupts() {
    if (INTERRUPTS_PENDING_CONDITION()) {
        call([] { ::ProcessInterrupts(); });
    }
}

// Builds a C++ object that lives exactly as long as a memory context.
template <typename T, typename... Args>
T* make_in(::MemoryContext context, Args&&... args) {
    static_assert(std::is_nothrow_destructible_v<T>);
    static_assert(alignof(T) <= MAXIMUM_ALIGNOF, "palloc aligns no better");
    struct Holder {
        ::MemoryContextCallback callback;
        alignas(T) unsigned char storage[sizeof(T)];
    };
    auto* holder = call(
        [&] { return static_cast<Holder*>(::MemoryContextAllocZero(context, sizeof(Holder))); });
    T* object = new (holder->storage) T(std::forward<Args>(args)...);
    holder->callback.arg = object;
    holder->callback.func = [](void* arg) { static_cast<T*>(arg)->~T(); };
    ::MemoryContextRegisterResetCallback(context, &holder->callback);
    return object;
}

}  // namespace herd::pg

// Defines an SQL-callable function whose C++ body may throw.
#define HERD_SQL_FUNCTION(name)                                             \
    static Datum name##_body(::FunctionCallInfo fcinfo);                    \
    extern "C" {                                                            \
    PGDLLEXPORT Datum name(PG_FUNCTION_ARGS);                               \
    PG_FUNCTION_INFO_V1(name);                                              \
    Datum name(PG_FUNCTION_ARGS) {                                          \
        return herd::pg::enter(#name, [&] { return name##_body(fcinfo); }); \
    }                                                                       \
    }                                                                       \
    static Datum name##_body([[maybe_unused]] ::FunctionCallInfo fcinfo)
