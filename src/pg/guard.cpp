#include "pg/guard.hpp"

#include <cstring>

extern "C" {
#include "access/xact.h"
#include "utils/memutils.h"
}

namespace herd::pg {

namespace {

// Everything a std::string may be built from; null means empty.
std::string text_of(const char* text) {
    return text == nullptr ? std::string() : std::string(text);
}

// CopyErrorData allocates, so it may fail itself.
::ErrorData* copy_pending(::MemoryContext context) noexcept {
    ErrorState saved;
    sigjmp_buf jump;
    if (sigsetjmp(jump, 0) == 0) {
        ::PG_exception_stack = &jump;
        ::MemoryContextSwitchTo(context);
        return ::CopyErrorData();
    }
    saved.restore();
    return nullptr;
}

Error to_error(const ::ErrorData& data) {
    Error error(SqlState(data.sqlerrcode), text_of(data.message));
    error.detail(text_of(data.detail)).hint(text_of(data.hint)).context(text_of(data.context));
    error.schema_name(text_of(data.schema_name)).table_name(text_of(data.table_name));
    error.column_name(text_of(data.column_name)).datatype_name(text_of(data.datatype_name));
    error.constraint_name(text_of(data.constraint_name)).position(data.cursorpos);
    error.internal_query(text_of(data.internalquery), data.internalpos);
    // errfinish has called the context callbacks of every frame up to the session's.
    error.context_is_complete();
    return error;
}

// The report that is used when there is no memory for one.
Report* out_of_memory_report() noexcept {
    static Report report;
    static char message[] = "out of memory";
    report = Report{};
    report.data.elevel = ERROR;
    report.data.sqlerrcode = sqlstate::kOutOfMemory.code;
    report.data.message = message;
    return &report;
}

// HUGE: without it a length above 1 GB would be an ereport.
void* allocate(::Size size) noexcept {
    return ::MemoryContextAllocExtended(::ErrorContext, size, MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE);
}

char* copy_text(const std::string& text) noexcept {
    if (text.empty()) {
        return nullptr;
    }
    auto* copy = static_cast<char*>(allocate(text.size() + 1));
    if (copy != nullptr) {
        std::memcpy(copy, text.c_str(), text.size() + 1);
    }
    return copy;
}

Report* report_of(const Error& error) noexcept {
    auto* report = static_cast<Report*>(allocate(sizeof(Report)));
    if (report == nullptr) {
        return out_of_memory_report();
    }
    *report = Report{};
    report->allocated = true;
    report->context_complete = error.has_complete_context();
    ::ErrorData& data = report->data;
    data.elevel = ERROR;
    data.sqlerrcode = error.state().code;
    data.message = copy_text(error.message());
    data.detail = copy_text(error.detail());
    data.hint = copy_text(error.hint());
    data.context = copy_text(error.context());
    data.schema_name = copy_text(error.schema_name());
    data.table_name = copy_text(error.table_name());
    data.column_name = copy_text(error.column_name());
    data.datatype_name = copy_text(error.datatype_name());
    data.constraint_name = copy_text(error.constraint_name());
    data.cursorpos = error.position();
    data.internalquery = copy_text(error.internal_query());
    data.internalpos = error.internal_position();
    return report;
}

// An exception that nobody meant for users: the entry point's name helps to find where it came
// from.
Report* report_of_unexpected(const char* where, const char* what) noexcept {
    try {
        return report_of(Error(sqlstate::kInternalError, std::string(where) + ": " + what));
    } catch (...) {
        return out_of_memory_report();
    }
}

}  // namespace

void ErrorState::restore() const noexcept {
    // errfinish has set the holdoff counts to zero, under the feet of an outer HOLD_INTERRUPTS.
    ::InterruptHoldoffCount = interrupt_holdoff_;
    ::QueryCancelHoldoffCount = query_cancel_holdoff_;
    ::PG_exception_stack = exception_stack_;
    ::error_context_stack = context_stack_;
    ::MemoryContextSwitchTo(memory_context_);
}

void ErrorState::throw_captured() const {
    restore();
    // FlushErrorState empties ErrorContext, so the copy must not be there.
    const bool in_error_context = memory_context_ == ::ErrorContext;
    ::ErrorData* data = copy_pending(in_error_context ? ::TopMemoryContext : memory_context_);
    ::FlushErrorState();
    ::MemoryContextSwitchTo(memory_context_);
    if (data == nullptr) {
        throw Error(sqlstate::kOutOfMemory, "out of memory while copying an error");
    }
    Error error = to_error(*data);
    ::FreeErrorData(data);
    throw error;
}

Report* describe_current_exception(const char* where) noexcept {
    try {
        throw;
    } catch (const Error& error) {
        return report_of(error);
    } catch (const std::bad_alloc&) {
        return out_of_memory_report();
    } catch (const std::exception& error) {
        return report_of_unexpected(where, error.what());
    } catch (...) {
        return report_of_unexpected(where, "unknown C++ exception");
    }
}

void raise(Report* report) {
    if (report->context_complete) {
        // The callbacks have added their lines once. Every handler sets this stack anew.
        ::error_context_stack = nullptr;
    }
    ::ThrowErrorData(&report->data);
    pg_unreachable();
}

void warn(Report* report) noexcept {
    report->data.elevel = WARNING;
    ErrorState saved;
    sigjmp_buf jump;
    if (sigsetjmp(jump, 0) == 0) {
        ::PG_exception_stack = &jump;
        // A report ends with a check for interrupts; a cancel would be swallowed here.
        HOLD_INTERRUPTS();
        ::ThrowErrorData(&report->data);
        RESUME_INTERRUPTS();
        if (report->allocated) {
            ::FreeErrorData(&report->data);
        }
    } else {
        saved.restore();
        ::FlushErrorState();
    }
}

namespace {

struct Entry {
    const char* where = nullptr;
    const sigjmp_buf* handler = nullptr;
};

// Deeper ones are counted and not watched.
constexpr int kWatchedEntries = 100;
Entry open_entries[kWatchedEntries];
int open_count = 0;
// The last one found skipped, until it is reported.
const char* skipped = nullptr;

// While PostgreSQL runs below an open entry point, pg::call has put a handler of its own in front
// of the one that was in force at the entry. An entry point whose handler is the current one is
// left, then.
void drop_skipped_entries() noexcept {
    while (open_count > 0 && (open_count > kWatchedEntries ||
                              open_entries[open_count - 1].handler == ::PG_exception_stack)) {
        --open_count;
        if (open_count < kWatchedEntries) {
            skipped = open_entries[open_count].where;
        }
    }
}

void report_skipped_entry() noexcept {
    const char* where = skipped;
    skipped = nullptr;
    if (where != nullptr) {
        warn(report_of_unexpected(where, "PostgreSQL was called without a guard"));
    }
}

void at_end_of_transaction() noexcept {
    drop_skipped_entries();
    report_skipped_entry();
}

}  // namespace

OpenEntry::OpenEntry(const char* where) noexcept {
    drop_skipped_entries();
    if (skipped != nullptr) {
        report_skipped_entry();
    }
    position_ = open_count++;
    if (position_ < kWatchedEntries) {
        open_entries[position_] = {where, ::PG_exception_stack};
    }
}

OpenEntry::~OpenEntry() {
    if (open_count > position_ + 1 && position_ + 1 < kWatchedEntries) {
        skipped = open_entries[position_ + 1].where;
    }
    open_count = position_;
}

void watch_transactions() {
    ::RegisterXactCallback([](::XactEvent, void*) { at_end_of_transaction(); }, nullptr);
    ::RegisterSubXactCallback([](::SubXactEvent, ::SubTransactionId, ::SubTransactionId,
                                 void*) { at_end_of_transaction(); },
                              nullptr);
}

}  // namespace herd::pg
