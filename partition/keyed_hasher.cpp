// The block functions of SHA-256 instead of EVP_MAC: that one allocates a context and looks its algorithm up on each use,
// which costs more than hashing a key (docs/adr/0005-partition-keys.md).
#define OPENSSL_SUPPRESS_DEPRECATED

#include "partition/keyed_hasher.hpp"

#include <algorithm>

namespace penstock::partition {
namespace {

// SHA-256 states that have taken in the secret under the inner and the outer pad of RFC 2104.
struct keyed_states {
    SHA256_CTX inner;
    SHA256_CTX outer;
};

void absorb_padded(SHA256_CTX& state, hash_secret const& secret, std::uint8_t pad) noexcept
{
    std::array<std::uint8_t, SHA256_CBLOCK> block;
    block.fill(pad);
    for (std::size_t i = 0; i < secret.size(); ++i) block[i] = static_cast<std::uint8_t>(secret[i] ^ pad);
    SHA256_Init(&state);
    SHA256_Update(&state, block.data(), block.size());
}

// A process has one secret, so that the two blocks it fills are hashed once per thread, not once per request.
keyed_states const& states_for(hash_secret const& secret) noexcept
{
    struct remembered {
        hash_secret secret{};
        keyed_states states{};
        bool ready = false;
    };
    thread_local remembered last;
    if (!last.ready || last.secret != secret) {
        absorb_padded(last.states.inner, secret, 0x36);
        absorb_padded(last.states.outer, secret, 0x5C);
        last.secret = secret;
        last.ready = true;
    }
    return last.states;
}

} // namespace

keyed_hasher::keyed_hasher(hash_secret const& secret) noexcept
{
    auto const& states = states_for(secret);
    inner_ = states.inner;
    std::copy_n(states.outer.h, outer_.size(), outer_.begin());
}

void keyed_hasher::update(std::string_view bytes) noexcept { SHA256_Update(&inner_, bytes.data(), bytes.size()); }

std::array<std::uint8_t, 16> keyed_hasher::finish() noexcept
{
    // The outer hash is always of the secret's block and one more: the digest and the padding of FIPS 180-4 5.1.1.
    std::array<std::uint8_t, SHA256_CBLOCK> block{};
    SHA256_Final(block.data(), &inner_);
    constexpr unsigned bits = (SHA256_CBLOCK + SHA256_DIGEST_LENGTH) * 8;
    block[SHA256_DIGEST_LENGTH] = 0x80;
    block[SHA256_CBLOCK - 2] = bits >> 8;
    block[SHA256_CBLOCK - 1] = bits & 0xFF;
    SHA256_CTX outer;
    std::copy(outer_.begin(), outer_.end(), outer.h);
    SHA256_Transform(&outer, block.data());
    std::array<std::uint8_t, 16> truncated;
    for (std::size_t i = 0; i < truncated.size(); ++i)
        truncated[i] = static_cast<std::uint8_t>(outer.h[i / 4] >> (24 - 8 * (i % 4)));
    return truncated;
}

std::array<std::uint8_t, 16> keyed_hash(hash_secret const& secret, std::span<char const> bytes) noexcept
{
    keyed_hasher hasher{secret};
    hasher.update({bytes.data(), bytes.size()});
    return hasher.finish();
}

} // namespace penstock::partition
