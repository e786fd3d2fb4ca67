#include "ddl/nodes.hpp"

#include "pg/failpoint.hpp"
#include "pg/spi.hpp"
#include "pg/statement_depth.hpp"
#include "transaction/internal.hpp"
#include "transaction/session.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace herd::ddl {

namespace {

void set_here(const char* name, const char* value) {
    pg::call([&] {
        ::set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    });
}

}  // namespace

void send(const Script& script) {
    HERD_FAILPOINT("ddl.before_nodes");
    transaction::run_on(script.nodes,
                        "SELECT herd.link_ddl(" + pg::quote_literal(script.search_path) + ", " +
                            pg::quote_literal(script.text) + ", " +
                            (script.replica ? "true" : "false") + ")",
                        script.writes);
    HERD_FAILPOINT("ddl.after_nodes");
}

std::string current_search_path() {
    return pg::call([] { return ::GetConfigOption("search_path", false, false); });
}

void run_script(const std::string& search_path, const std::string& text, bool replica) {
    transaction::require_internal_call("link_ddl");
    // An error puts the settings back with the (sub)transaction.
    int level = ::NewGUCNestLevel();
    set_here("search_path", search_path.c_str());
    // The coordinator has checked function bodies, against everything that it has.
    set_here("check_function_bodies", "off");
    // The coordinator's user has seen its NOTICEs.
    set_here("client_min_messages", "warning");
    if (replica) {
        // All rows, or an error.
        set_here("row_security", "off");
        set_here("session_replication_role", "replica");
    }
    pg::ClientsOwn own;
    pg::query(text);
    pg::call([&] { ::AtEOXact_GUC(true, level); });
}

}  // namespace herd::ddl
