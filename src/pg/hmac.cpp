#include "pg/hmac.hpp"

#include <vector>

#include "pg/guard.hpp"

extern "C" {
#include "common/cryptohash.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "port.h"
}

namespace herd::pg {

namespace {

std::string to_hex(const unsigned char* bytes, std::size_t count) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += kDigits[bytes[i] >> 4];
        text += kDigits[bytes[i] & 15];
    }
    return text;
}

}  // namespace

std::string hmac_sha256(const std::string& key, const std::string& message) {
    unsigned char digest[PG_SHA256_DIGEST_LENGTH];
    bool done = call([&] {
        ::pg_hmac_ctx* context = ::pg_hmac_create(PG_SHA256);
        bool good =
            ::pg_hmac_init(context, reinterpret_cast<const uint8*>(key.data()), key.size()) == 0 &&
            ::pg_hmac_update(context, reinterpret_cast<const uint8*>(message.data()),
                             message.size()) == 0 &&
            ::pg_hmac_final(context, digest, sizeof digest) == 0;
        ::pg_hmac_free(context);
        return good;
    });
    if (!done) {
        throw Error(sqlstate::kInternalError, "could not compute a message authentication code");
    }
    return to_hex(digest, sizeof digest);
}

std::string random_hex(int bytes) {
    std::vector<unsigned char> random(static_cast<std::size_t>(bytes));
    if (!::pg_strong_random(random.data(), random.size())) {
        throw Error(sqlstate::kInternalError, "no strong random numbers are available");
    }
    return to_hex(random.data(), random.size());
}

}  // namespace herd::pg
