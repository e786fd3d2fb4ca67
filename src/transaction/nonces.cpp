#include "transaction/nonces.hpp"

#include "pg/guard.hpp"
#include "pg/shared_memory.hpp"

extern "C" {
#include "storage/spin.h"
}

namespace herd::transaction {

namespace {

// Nonces are random, so they spread evenly. A thousand new sessions a second for a token's lifetime
// fill less than half of it.
constexpr int kBuckets = 8192;
constexpr int kPerBucket = 16;

struct UsedNonce {
    std::uint64_t nonce;
    std::int64_t expiry;
};

struct UsedNonces {
    ::slock_t lock;
    UsedNonce slots[kBuckets][kPerBucket];
};

UsedNonces* used_nonces = nullptr;

void initialize(void* memory) {
    SpinLockInit(&static_cast<UsedNonces*>(memory)->lock);
}

}  // namespace

bool remember_nonce(const std::string& nonce, std::int64_t expiry, std::int64_t now) {
    if (used_nonces == nullptr) {
        return true;
    }
    constexpr std::size_t kDigits = 16;  // of 64 bits
    std::uint64_t value = std::strtoull(nonce.substr(0, kDigits).c_str(), nullptr, 16);
    std::uint64_t place = std::strtoull(nonce.substr(kDigits, kDigits).c_str(), nullptr, 16);
    bool fresh = true;
    UsedNonce* free = nullptr;
    SpinLockAcquire(&used_nonces->lock);
    for (UsedNonce& slot : used_nonces->slots[place % kBuckets]) {
        if (slot.expiry < now) {
            free = &slot;
        } else if (slot.nonce == value) {
            fresh = false;
        }
    }
    if (fresh && free != nullptr) {
        *free = {value, expiry};
    }
    SpinLockRelease(&used_nonces->lock);
    return fresh && free != nullptr;
}

void request_nonces() {
    pg::add_shared_part(
        {"pg_herd nonces", sizeof(UsedNonces), initialize, reinterpret_cast<void**>(&used_nonces)});
}

}  // namespace herd::transaction
