#include "pg/server_run.hpp"

#include "pg/guard.hpp"
#include "pg/shared_memory.hpp"

namespace herd::pg {

namespace {

std::int64_t* run = nullptr;

void draw(void* memory) {
    auto* number = static_cast<std::int64_t*>(memory);
    while (*number <= 0) {
        if (!::pg_strong_random(number, sizeof *number)) {
            elog(ERROR, "no random numbers");
        }
    }
}

}  // namespace

std::int64_t server_run() {
    return run == nullptr ? 0 : *run;
}

void request_server_run() {
    add_shared_part({"pg_herd run", sizeof *run, draw, reinterpret_cast<void**>(&run)});
}

}  // namespace herd::pg
