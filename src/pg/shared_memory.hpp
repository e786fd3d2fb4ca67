// Shared memory of the extension: each part is asked for at _PG_init and found again in every
// backend.
#pragma once

#include <cstddef>

namespace herd::pg {

struct SharedPart {
    const char* name = nullptr;
    std::size_t size = 0;
    // Once, in zeroed memory, under AddinShmemInitLock; nullptr: zeros will do.
    void (*initialize)(void* memory) = nullptr;
    // Where this process keeps the pointer.
    void** address = nullptr;
    // Added to size for each process that the server may have.
    std::size_t size_per_backend = 0;
    // At the end of size: not touched before it is used, so that it costs no memory until then.
    std::size_t lazy_size = 0;
};

// From _PG_init only, while the server preloads libraries.
void add_shared_part(const SharedPart& part);
// From _PG_init, after all parts.
void install_shared_memory_hooks();
// Whether the library was preloaded, so that shared memory and workers exist.
bool is_preloaded();

}  // namespace herd::pg
