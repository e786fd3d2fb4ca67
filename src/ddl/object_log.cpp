#include "ddl/object_log.hpp"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/objectaccess.h"
}

namespace herd::ddl {

namespace {

ObjectLog* current_log = nullptr;
::object_access_hook_type previous_hook = nullptr;

bool is_internal(::ObjectAccessType access, void* argument) {
    switch (access) {
        case OAT_POST_CREATE:
            return argument != nullptr &&
                   static_cast<::ObjectAccessPostCreate*>(argument)->is_internal;
        case OAT_POST_ALTER:
            return argument != nullptr &&
                   static_cast<::ObjectAccessPostAlter*>(argument)->is_internal;
        case OAT_DROP:
            return argument != nullptr && (static_cast<::ObjectAccessDrop*>(argument)->dropflags &
                                           PERFORM_DELETION_INTERNAL) != 0;
        default:
            return false;
    }
}

void on_object_access(::ObjectAccessType access, Oid classid, Oid objid, int subid,
                      void* argument) {
    if (previous_hook != nullptr) {
        previous_hook(access, classid, objid, subid, argument);
    }
    if (current_log == nullptr ||
        (access != OAT_POST_CREATE && access != OAT_POST_ALTER && access != OAT_DROP)) {
        return;
    }
    pg::enter("object access", [&] {
        LoggedObject object{classid, objid, subid, is_internal(access, argument)};
        (access == OAT_POST_CREATE  ? current_log->created
         : access == OAT_POST_ALTER ? current_log->altered
                                    : current_log->dropped)
            .push_back(object);
    });
}

}  // namespace

ObjectLog* write_log(ObjectLog* log) noexcept {
    ObjectLog* before = current_log;
    current_log = log;
    return before;
}

void initialize_object_log() {
    previous_hook = ::object_access_hook;
    ::object_access_hook = on_object_access;
}

}  // namespace herd::ddl
