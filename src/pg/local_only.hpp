// Statements of this backend that must work on this server's own rows, though their tables are
// distributed: the local step of DDL, the extension's own copying of rows.
#pragma once

namespace herd::pg {

bool local_only();
// Nests; the end of the transaction puts it back to false.
void set_local_only(bool on);

// Ends it for a while; returns what resume_local_only puts back.
int suspend_local_only();
void resume_local_only(int depth);

// For C++ code: while alive, statements go to the standard planner. If a longjmp skips the
// destructor, the end of the transaction cleans up.
class LocalOnly {
public:
    LocalOnly() { set_local_only(true); }
    ~LocalOnly() { set_local_only(false); }
    LocalOnly(const LocalOnly&) = delete;
    LocalOnly& operator=(const LocalOnly&) = delete;
};

// Planning of a statement of the herd's own that changes this server's rows only: as local_only,
// but triggers may not change distribution keys. For the next statement that is planned: whoever
// asks takes it.
bool take_own_rows();

class OwnRows {
public:
    OwnRows();
    ~OwnRows();
    OwnRows(const OwnRows&) = delete;
    OwnRows& operator=(const OwnRows&) = delete;
};

// From _PG_init.
void initialize_local_only();

}  // namespace herd::pg
