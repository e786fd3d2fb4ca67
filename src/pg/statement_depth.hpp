// How deep in statements this backend is: 0 outside of any, 1 in the client's own statement, more
// in those that functions and triggers run.
#pragma once

namespace herd::pg {

int statement_depth();

void set_statement_depth(int depth);

// A procedure goes on after a COMMIT inside it: while it runs, the end of a transaction takes the
// depth no further down than this.
int statement_floor();
void set_statement_floor(int depth);
// At the end of a transaction.
void reset_statement_depth();

// For C++ code: while alive, what runs is as good as the client's own statement: a script that the
// coordinator has sent.
class ClientsOwn {
public:
    ClientsOwn();
    ~ClientsOwn();
    ClientsOwn(const ClientsOwn&) = delete;
    ClientsOwn& operator=(const ClientsOwn&) = delete;

private:
    int depth_;
};

// Whether such a script is running.
bool in_script();

// Whether a trigger function is running: deferred ones do so at depth 0, after the client's last
// statement.
bool in_trigger();

// Whether what begins now is a statement of a function or trigger, not the client's own.
bool is_nested();

}  // namespace herd::pg
