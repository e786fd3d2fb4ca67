// EXPLAIN ANALYZE of what the coordinator runs here: it turns the capture on, runs its statement,
// and asks for the plan that the statement ran with. So writes are explained as they are, done
// once. PostgreSQL style.
#pragma once

extern "C" {
struct QueryDesc;
}

namespace herd::executor {

// Options are a list of words: costs, verbose, buffers, wal, timing. Forgets the plan captured
// before. Errors: 22023 for another word.
void set_plan_capture(bool on, const char* words);

struct CapturedPlan {
    const char* text;  // nullptr: no statement has ended since the capture was turned on
    double milliseconds;
};
// Lives until the next call of set_plan_capture or the end of the next captured statement. The
// statement that calls this is not captured itself.
CapturedPlan captured_plan();

// The statement that calls this is none of what the coordinator wants to see.
void leave_out_of_capture();

// Before and after ExecutorStart of the client's own statements in internal sessions.
void prepare_capture(::QueryDesc* query, int flags);
void begin_capture(::QueryDesc* query);
// At ExecutorEnd, of any statement: whether prepare_capture has chosen it.
bool is_captured(const ::QueryDesc* query);
void capture_plan(::QueryDesc* query);

}  // namespace herd::executor
