// The tokens that this server has seen, until they expire: each opens one session.
#pragma once

#include <cstdint>
#include <string>

namespace herd::transaction {

// Bytes of a nonce, which is written in hexadecimal.
constexpr int kNonceSize = 16;

// True the first time a nonce is shown; false, too, when there is no room to remember it.
bool remember_nonce(const std::string& nonce, std::int64_t expiry, std::int64_t now);

// From _PG_init.
void request_nonces();

}  // namespace herd::transaction
