#include "fault.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>

#include "base/error.hpp"
#include "pg/guard.hpp"

extern "C" {
#include "access/xact.h"
#include "storage/latch.h"
#include "utils/wait_event.h"
}

namespace herd::boundary {

namespace {

constexpr int kNameLength = 64;
char armed_point[kNameLength] = "";
char armed_fault[kNameLength] = "";
::TimestampTz armed_by = 0;

void set_name(char* target, const std::string& text) {
    std::strncpy(target, text.c_str(), kNameLength - 1);
}

[[noreturn]] void throw_herd_error(const std::string& point) {
    Error error(SqlState("HR003"), "herd error at " + point);
    error.detail("the detail").hint("the hint").context("the context").schema_name("s");
    error.table_name("t").column_name("c").datatype_name("d").constraint_name("k");
    throw error;
}

void raise_in_postgres() {
    pg::call([] {
        ereport(ERROR, (errcode(ERRCODE_DIVISION_BY_ZERO), errmsg("postgres error"),
                        errdetail("the detail"), errhint("the hint")));
    });
}

// A minute at most, so that a lost interrupt fails the test and does not hang it.
void wait_for_interrupt() {
    constexpr int kRounds = 6000;
    for (int round = 0; round < kRounds; ++round) {
        pg::call([] {
            ::WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 10,
                        PG_WAIT_EXTENSION);
            ::ResetLatch(MyLatch);
        });
        pg::check_interrupts();
    }
}

}  // namespace

int Tracked::live_ = 0;

void fail(const std::string& point, const std::string& fault) {
    const Tracked first;
    const Tracked second;
    if (fault == "runtime_error") {
        throw std::runtime_error("thrown");
    }
    if (fault == "herd_error") {
        throw_herd_error(point);
    }
    if (fault == "bad_alloc") {
        throw std::bad_alloc();
    }
    if (fault == "unknown") {
        throw 42;
    }
    if (fault == "postgres_error") {
        raise_in_postgres();
    }
    if (fault == "wait") {
        wait_for_interrupt();
    }
}

void arm(const std::string& point, const std::string& fault) {
    set_name(armed_point, point);
    set_name(armed_fault, fault);
    armed_by = ::GetCurrentStatementStartTimestamp();
}

bool is_armed(const char* prefix) {
    return std::strncmp(armed_point, prefix, std::strlen(prefix)) == 0 &&
           armed_by != ::GetCurrentStatementStartTimestamp();
}

void visit(const char* point) {
    if (armed_point[0] != '\0' && is_armed(point) && std::strcmp(armed_point, point) == 0) {
        armed_point[0] = '\0';
        fail(point, armed_fault);
    }
}

}  // namespace herd::boundary
