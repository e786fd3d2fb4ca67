// Statements that nodes run with another role's rights than the user's: a view's owner, or one that
// no policy holds back when the policies are applied here.
#pragma once

#include "pg/guard.hpp"

namespace herd::executor {

// Links send the current user's name as the role that the nodes apply.
class AsRole {
public:
    explicit AsRole(Oid role) {
        ::GetUserIdAndSecContext(&user_, &context_);
        if (OidIsValid(role)) {
            ::SetUserIdAndSecContext(role, context_ | SECURITY_LOCAL_USERID_CHANGE);
        }
    }
    ~AsRole() { ::SetUserIdAndSecContext(user_, context_); }
    AsRole(const AsRole&) = delete;
    AsRole& operator=(const AsRole&) = delete;

private:
    Oid user_ = InvalidOid;
    int context_ = 0;
};

}  // namespace herd::executor
