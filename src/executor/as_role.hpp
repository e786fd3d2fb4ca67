// Statements with another role's rights than the user's: a view's owner, or one that no policy
// holds back when the policies are applied here.
#pragma once

#include "pg/guard.hpp"
#include "transaction/settings.hpp"

namespace herd::executor {

// What is sent to nodes has the role's rights and policies. It runs as the user: what current_user
// is, and as whom triggers run, does not change with the view that leads to a table.
class AsRole {
public:
    explicit AsRole(Oid role) : before_(transaction::set_rights(role)) {}
    ~AsRole() { transaction::set_rights(before_); }
    AsRole(const AsRole&) = delete;
    AsRole& operator=(const AsRole&) = delete;

private:
    Oid before_;
};

// The current user is the role.
class AsUser {
public:
    explicit AsUser(Oid role) {
        ::GetUserIdAndSecContext(&user_, &context_);
        if (OidIsValid(role)) {
            ::SetUserIdAndSecContext(role, context_ | SECURITY_LOCAL_USERID_CHANGE);
        }
    }
    ~AsUser() { ::SetUserIdAndSecContext(user_, context_); }
    AsUser(const AsUser&) = delete;
    AsUser& operator=(const AsUser&) = delete;

private:
    Oid user_ = InvalidOid;
    int context_ = 0;
};

}  // namespace herd::executor
