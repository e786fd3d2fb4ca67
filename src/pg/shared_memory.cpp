#include "pg/shared_memory.hpp"

#include <cstring>

#include "pg/guard.hpp"

extern "C" {
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
}

namespace herd::pg {

namespace {

constexpr int kMaxParts = 16;
SharedPart parts[kMaxParts];
int part_count = 0;
bool preloaded = false;
::shmem_request_hook_type previous_request_hook = nullptr;
::shmem_startup_hook_type previous_startup_hook = nullptr;

std::size_t size_of(const SharedPart& part) {
    return part.size + part.size_per_backend * static_cast<std::size_t>(MaxBackends);
}

void request() {
    if (previous_request_hook != nullptr) {
        previous_request_hook();
    }
    for (int i = 0; i < part_count; ++i) {
        ::RequestAddinShmemSpace(MAXALIGN(size_of(parts[i])));
    }
}

void startup() {
    if (previous_startup_hook != nullptr) {
        previous_startup_hook();
    }
    ::LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    for (int i = 0; i < part_count; ++i) {
        bool found = false;
        *parts[i].address = ::ShmemInitStruct(parts[i].name, size_of(parts[i]), &found);
        if (!found) {
            std::memset(*parts[i].address, 0, size_of(parts[i]) - parts[i].lazy_size);
            if (parts[i].initialize != nullptr) {
                parts[i].initialize(*parts[i].address);
            }
        }
    }
    ::LWLockRelease(AddinShmemInitLock);
}

}  // namespace

void add_shared_part(const SharedPart& part) {
    Assert(part_count < kMaxParts);
    parts[part_count++] = part;
}

void install_shared_memory_hooks() {
    if (!::process_shared_preload_libraries_in_progress) {
        return;
    }
    preloaded = true;
    previous_request_hook = ::shmem_request_hook;
    ::shmem_request_hook = request;
    previous_startup_hook = ::shmem_startup_hook;
    ::shmem_startup_hook = startup;
}

bool is_preloaded() {
    return preloaded;
}

}  // namespace herd::pg
