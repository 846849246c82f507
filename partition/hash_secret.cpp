#define OPENSSL_SUPPRESS_DEPRECATED // the block function, see keyed_hasher.cpp

#include "partition/hash_secret.hpp"

#include <openssl/sha.h>

#include <algorithm>

namespace penstock::partition {
namespace {

hash_secret::sha256_state behind_pad(hash_secret::bytes const& secret, std::uint8_t pad) noexcept
{
    std::array<std::uint8_t, SHA256_CBLOCK> padded;
    padded.fill(pad);
    for (std::size_t i = 0; i < secret.size(); ++i) padded[i] = static_cast<std::uint8_t>(secret[i] ^ pad);
    SHA256_CTX hash;
    SHA256_Init(&hash);
    SHA256_Transform(&hash, padded.data());
    hash_secret::sha256_state state;
    std::copy_n(hash.h, state.size(), state.begin());
    return state;
}

} // namespace

hash_secret::hash_secret(bytes const& secret) noexcept : inner_(behind_pad(secret, 0x36)), outer_(behind_pad(secret, 0x5C)) {}

} // namespace penstock::partition
