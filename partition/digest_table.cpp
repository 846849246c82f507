// The functions of SHA-256 instead of EVP: see keyed_hasher.cpp. The one-shot SHA256() of OpenSSL 3 goes through EVP, too, and
// allocates.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "partition/digest_table.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <bit>
#include <stdexcept>

namespace penstock::partition {

sha256_digest digest_of(std::string_view key) noexcept
{
    sha256_digest digest;
    static_assert(sizeof digest == SHA256_DIGEST_LENGTH);
    SHA256_CTX state;
    SHA256_Init(&state);
    SHA256_Update(&state, key.data(), key.size());
    SHA256_Final(digest.data(), &state);
    return digest;
}

digest_table::digest_table(std::span<sha256_digest const> digests)
{
    if (digests.empty()) return;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&hash_key_), sizeof hash_key_) != 1)
        throw std::runtime_error("the system has no random numbers to give");
    slots_.resize(std::bit_ceil(2 * digests.size()));
    for (std::size_t i = 0; i < digests.size(); ++i) {
        auto at = home_of(digests[i]);
        while (slots_[at].number != 0 && slots_[at].digest != digests[i]) at = (at + 1) % slots_.size();
        if (slots_[at].number == 0) slots_[at] = {static_cast<std::uint32_t>(i + 1), digests[i]};
    }
}

std::optional<std::size_t> digest_table::find(sha256_digest const& digest) const noexcept
{
    if (slots_.empty()) return std::nullopt;
    for (auto at = home_of(digest); slots_[at].number != 0; at = (at + 1) % slots_.size()) {
        if (CRYPTO_memcmp(slots_[at].digest.data(), digest.data(), digest.size()) == 0) return slots_[at].number - 1;
    }
    return std::nullopt;
}

std::size_t digest_table::home_of(sha256_digest const& digest) const noexcept
{
    return base::sip_hash<1, 3>(hash_key_, {reinterpret_cast<char const*>(digest.data()), digest.size()}) % slots_.size();
}

} // namespace penstock::partition
