#include "transaction/internal.hpp"

#include <cstring>
#include <ctime>
#include <vector>

#include "pg/guard.hpp"
#include "pg/hmac.hpp"
#include "pg/statement_depth.hpp"
#include "transaction/nonces.hpp"

extern "C" {
#include "access/xact.h"
#include "commands/dbcommands.h"
#include "nodes/plannodes.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/guc.h"
}

namespace herd::transaction {

namespace {

constexpr int kTokenLifetime = 60;  // seconds

// What the startup option brought; the setting itself is blanked, so that SQL never sees it.
std::string& received_token() {
    static auto& token = *new std::string;
    return token;
}
char* visible_setting = nullptr;

enum class Mark { kUnknown, kInternal, kOrdinary };
Mark mark = Mark::kUnknown;

bool take_token(char** value, void**, ::GucSource source) {
    if (*value != nullptr && **value != '\0') {
        if (source == PGC_S_CLIENT) {
            try {
                received_token() = *value;
            } catch (...) {
                return false;
            }
        }
        std::memset(*value, 0, std::strlen(*value));
    }
    return true;
}

std::string sign(const catalog::Catalog& herd, const std::string& username,
                 const std::string& dbname, const std::string& term, const std::string& nonce,
                 const std::string& expiry) {
    return pg::hmac_sha256(herd.secret, username + '\n' + dbname + '\n' + herd.cluster_id + '\n' +
                                            term + '\n' + nonce + '\n' + expiry);
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts(1);
    for (char letter : text) {
        if (letter == separator) {
            parts.emplace_back();
        } else {
            parts.back() += letter;
        }
    }
    return parts;
}

bool check_token(const catalog::Catalog& herd, const std::string& token) {
    std::vector<std::string> parts = split(token, '.');
    if (parts.size() != 4 || parts[1].size() != kNonceSize * 2) {
        return false;
    }
    const char* dbname = pg::call([] { return ::get_database_name(MyDatabaseId); });
    const char* username =
        pg::call([] { return ::GetUserNameFromId(::GetSessionUserId(), false); });
    std::string expected =
        sign(herd, username, dbname == nullptr ? "" : dbname, parts[0], parts[1], parts[2]);
    std::int64_t now = std::time(nullptr);
    std::int64_t expiry = std::strtoll(parts[2].c_str(), nullptr, 10);
    return expected == parts[3] && expiry >= now && expiry <= now + 2 * kTokenLifetime &&
           std::strtoll(parts[0].c_str(), nullptr, 10) >= herd.term &&
           remember_nonce(parts[1], expiry, now);
}

// The roles of an internal session; outside of transactions PostgreSQL wants no security context,
// so it is taken off at their end and put on again at the next statement.
Oid assumed_user = InvalidOid;
Oid assumed_rights = InvalidOid;  // between statements: names are looked up by it

void on_transaction_end(::XactEvent event, void*) {
    if (assumed_rights == InvalidOid) {
        return;
    }
    // After an abort, too: PostgreSQL has put the user back to what it was when the transaction
    // began, perhaps the connection's own, who may do more than the role. Whatever the coordinator
    // sends before it says a role again must not run as that one.
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE || event == XACT_EVENT_ABORT) {
        ::SetUserIdAndSecContext(assumed_rights, 0);
    }
}

}  // namespace

std::string make_token(const catalog::Catalog& herd, const std::string& username,
                       const std::string& dbname) {
    std::string term = std::to_string(herd.term);
    std::string nonce = pg::random_hex(kNonceSize);
    std::string expiry = std::to_string(std::time(nullptr) + kTokenLifetime);
    return term + '.' + nonce + '.' + expiry + '.' +
           sign(herd, username, dbname, term, nonce, expiry);
}

bool is_internal_session() {
    if (mark == Mark::kUnknown) {
        if (received_token().empty()) {
            mark = Mark::kOrdinary;
        } else {
            // A node that is joining knows the herd only after the link's first statements. Until
            // the token is found good the session is an ordinary one; every link begins with an
            // internal call, which fails when it is not.
            const catalog::Catalog* herd = catalog::current();
            if (herd != nullptr && check_token(*herd, received_token())) {
                received_token().clear();
                mark = Mark::kInternal;
            }
        }
    }
    return mark == Mark::kInternal;
}

namespace {

// Whether the call stands in a statement that reads no relation: the other server's own words. What
// users write reaches a link only as expressions over tables (their checks, defaults and policies
// too), or inside a script of definitions.
bool is_plain_call() {
    if (::ActivePortal == nullptr || pg::in_script()) {
        return false;
    }
    for (int i = 0; i < list_length(::ActivePortal->stmts); ++i) {
        const auto* plan = static_cast<const ::PlannedStmt*>(list_nth(::ActivePortal->stmts, i));
        if (plan->commandType != CMD_SELECT) {
            return false;
        }
        for (int j = 0; j < list_length(plan->rtable); ++j) {
            const auto* entry = static_cast<const ::RangeTblEntry*>(list_nth(plan->rtable, j));
            if (entry->rtekind == RTE_RELATION) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace

void require_internal_call(const char* function) {
    if (!is_internal_session() && mark == Mark::kUnknown) {
        throw Error(sqlstate::kNotInternal, "this connection's token is not valid here")
            .detail("It is from another herd, an older term, or was used before.")
            .hint(
                "SELECT * FROM herd.check() on the coordinator tells whether the node is its own.");
    }
    if (!is_internal_session() || pg::statement_depth() > 1 || pg::in_trigger() ||
        !is_plain_call()) {
        throw Error(sqlstate::kNotInternal, std::string("herd.") + function + " is internal")
            .hint("Only the servers of a herd call it.");
    }
}

void assume_roles(const std::string& user, const std::string& rights) {
    Oid roles[2];
    pg::call([&] {
        roles[0] = ::get_role_oid(user.c_str(), false);
        roles[1] = ::get_role_oid(rights.c_str(), false);
    });
    assumed_user = roles[0];
    assumed_rights = roles[1];
    ::SetUserIdAndSecContext(assumed_rights, SECURITY_LOCAL_USERID_CHANGE);
}

void become_user() {
    if (assumed_user != InvalidOid) {
        ::SetUserIdAndSecContext(assumed_user, SECURITY_LOCAL_USERID_CHANGE);
    }
}

void become_holder_of_rights() {
    if (assumed_rights != InvalidOid) {
        ::SetUserIdAndSecContext(assumed_rights, SECURITY_LOCAL_USERID_CHANGE);
    }
}

Oid holder_of_rights() {
    return assumed_rights != InvalidOid ? assumed_rights : ::GetUserId();
}

void initialize_internal() {
    ::RegisterXactCallback(on_transaction_end, nullptr);
    ::DefineCustomStringVariable(
        "herd.link", "Marks a connection between servers of a herd.", nullptr, &visible_setting, "",
        PGC_BACKEND,
        GUC_SUPERUSER_ONLY | GUC_NO_SHOW_ALL | GUC_DISALLOW_IN_FILE | GUC_NOT_IN_SAMPLE, take_token,
        nullptr, nullptr);
    request_nonces();
}

}  // namespace herd::transaction
