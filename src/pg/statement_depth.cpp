#include "pg/statement_depth.hpp"

#include "pg/guard.hpp"

extern "C" {
#include "utils/fmgrprotos.h"
}

namespace herd::pg {

namespace {
int current_depth = 0;
int current_floor = 0;
int open_scripts = 0;
}  // namespace

int statement_depth() {
    return current_depth;
}

void set_statement_depth(int depth) {
    current_depth = depth;
}

int statement_floor() {
    return current_floor;
}

void set_statement_floor(int depth) {
    current_floor = depth;
}

void reset_statement_depth() {
    current_depth = current_floor;
}

ClientsOwn::ClientsOwn() : depth_(current_depth) {
    current_depth = 0;
    ++open_scripts;
}

ClientsOwn::~ClientsOwn() {
    current_depth = depth_;
    --open_scripts;
}

bool in_script() {
    return open_scripts > 0;
}

bool in_trigger() {
    return DatumGetInt32(::pg_trigger_depth(nullptr)) > 0;
}

bool is_nested() {
    return current_depth > 0 || in_trigger();
}

}  // namespace herd::pg
