// HMAC-SHA-256 and strong random bytes, from PostgreSQL's own code.
#pragma once

#include <string>

namespace herd::pg {

// The 32 bytes of HMAC-SHA-256, in hexadecimal.
std::string hmac_sha256(const std::string& key, const std::string& message);
// `bytes` strong random bytes, in hexadecimal.
std::string random_hex(int bytes);

}  // namespace herd::pg
