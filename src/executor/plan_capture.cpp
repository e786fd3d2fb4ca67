#include "executor/plan_capture.hpp"

#include <cstring>

#include "pg/guard.hpp"
#include "pg/statement_depth.hpp"

extern "C" {
#include "commands/explain.h"
#include "executor/execdesc.h"
#include "executor/executor.h"
#include "executor/instrument.h"
#include "utils/memutils.h"
#include "utils/varlena.h"
}

namespace herd::executor {

namespace {

struct Options {
    bool costs;
    bool verbose;
    bool buffers;
    bool wal;
    bool timing;
};

bool capturing = false;
// The statement under way asks about the capture, and is none of what the coordinator wants to see.
bool asking = false;
Options options{};
char* last_text = nullptr;
double last_milliseconds = 0;

void forget_last() {
    if (last_text != nullptr) {
        ::pfree(last_text);
        last_text = nullptr;
    }
}

void set_option(const char* word) {
    struct Named {
        const char* name;
        bool Options::*option;
    };
    static constexpr Named kNamed[] = {{"costs", &Options::costs},
                                       {"verbose", &Options::verbose},
                                       {"buffers", &Options::buffers},
                                       {"wal", &Options::wal},
                                       {"timing", &Options::timing}};
    for (const Named& named : kNamed) {
        if (std::strcmp(named.name, word) == 0) {
            options.*named.option = true;
            return;
        }
    }
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("unknown option \"%s\" of link_explain", word)));
}

}  // namespace

void set_plan_capture(bool on, const char* words) {
    capturing = false;
    asking = true;
    forget_last();
    options = Options{};
    ::List* names = NIL;
    if (!::SplitIdentifierString(::pstrdup(words), ',', &names)) {
        set_option(words);
    }
    for (int i = 0; i < ::list_length(names); ++i) {
        set_option(static_cast<const char*>(::list_nth(names, i)));
    }
    capturing = on;
}

CapturedPlan captured_plan() {
    asking = true;
    return CapturedPlan{last_text, last_milliseconds};
}

void leave_out_of_capture() {
    asking = true;
}

void prepare_capture(::QueryDesc* query, int flags) {
    asking = false;
    if (capturing && (flags & EXEC_FLAG_EXPLAIN_ONLY) == 0) {
        query->instrument_options |= options.timing ? INSTRUMENT_TIMER : INSTRUMENT_ROWS;
        query->instrument_options |= options.buffers ? INSTRUMENT_BUFFERS : 0;
        query->instrument_options |= options.wal ? INSTRUMENT_WAL : 0;
    }
}

void begin_capture(::QueryDesc* query) {
    if (capturing && query->instrument_options != 0 && query->totaltime == nullptr) {
        ::MemoryContext before = ::MemoryContextSwitchTo(query->estate->es_query_cxt);
        query->totaltime = ::InstrAlloc(1, INSTRUMENT_ALL, false);
        ::MemoryContextSwitchTo(before);
    }
}

bool is_captured(const ::QueryDesc* query) {
    return capturing && !asking && query->totaltime != nullptr && query->instrument_options != 0 &&
           !pg::is_nested();
}

void capture_plan(::QueryDesc* query) {
    // What is made here goes away with the statement.
    ::MemoryContext before = ::MemoryContextSwitchTo(query->estate->es_query_cxt);
    ::InstrEndLoop(query->totaltime);
    ::ExplainState* es = ::NewExplainState();
    es->analyze = true;
    es->costs = options.costs;
    es->verbose = options.verbose;
    es->buffers = options.buffers;
    es->wal = options.wal;
    es->timing = options.timing;
    ::ExplainBeginOutput(es);
    ::ExplainPrintPlan(es, query);
    ::ExplainPrintTriggers(es, query);
    if (es->costs) {
        ::ExplainPrintJITSummary(es, query);
    }
    ::ExplainEndOutput(es);
    while (es->str->len > 0 && es->str->data[es->str->len - 1] == '\n') {
        es->str->data[--es->str->len] = '\0';
    }
    forget_last();
    last_text = ::MemoryContextStrdup(TopMemoryContext, es->str->data);
    last_milliseconds = query->totaltime->total * 1000.0;
    ::MemoryContextSwitchTo(before);
}

}  // namespace herd::executor
