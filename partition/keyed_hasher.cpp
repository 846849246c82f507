// The block function of SHA-256 instead of EVP_MAC, which allocates a context and looks its algorithm up on each use, and instead
// of SHA256_Update and SHA256_Final, which cost half as much again as the two blocks of a short value
// (docs/adr/0005-partition-keys.md).
#define OPENSSL_SUPPRESS_DEPRECATED

#include "partition/keyed_hasher.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <iterator>

namespace penstock::partition {
namespace {

// What SHA-256 has become behind the secret under the inner and under the outer pad of RFC 2104.
struct keyed_states {
    std::array<SHA_LONG, 8> inner;
    std::array<SHA_LONG, 8> outer;
};

void absorb_padded(std::array<SHA_LONG, 8>& state, hash_secret const& secret, std::uint8_t pad) noexcept
{
    std::array<std::uint8_t, SHA256_CBLOCK> padded;
    padded.fill(pad);
    for (std::size_t i = 0; i < secret.size(); ++i) padded[i] = static_cast<std::uint8_t>(secret[i] ^ pad);
    SHA256_CTX hash;
    SHA256_Init(&hash);
    SHA256_Transform(&hash, padded.data());
    std::copy_n(hash.h, state.size(), state.begin());
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
    outer_ = states.outer;
    begin(states.inner);
}

void keyed_hasher::absorb(std::span<std::byte const> bytes) noexcept
{
    while (bytes.size() >= block_.size() - filled_) {
        auto const room = block_.size() - filled_;
        std::memcpy(block_.data() + filled_, bytes.data(), room);
        bytes = bytes.subspan(room);
        take_block();
    }
    if (bytes.empty()) return;
    std::memcpy(block_.data() + filled_, bytes.data(), bytes.size());
    filled_ += bytes.size();
}

std::array<std::uint8_t, 16> keyed_hasher::finish() noexcept
{
    pad();
    auto const inner = digest();
    begin(outer_);
    absorb(std::as_bytes(std::span{inner}));
    pad();
    std::array<std::uint8_t, 16> truncated;
    std::memcpy(truncated.data(), digest().data(), truncated.size());
    return truncated;
}

void keyed_hasher::begin(words const& behind_the_secret) noexcept
{
    std::copy(behind_the_secret.begin(), behind_the_secret.end(), state_.h);
    filled_ = 0;
    blocks_ = 1;
}

void keyed_hasher::take_block() noexcept
{
    SHA256_Transform(&state_, block_.data());
    filled_ = 0;
    ++blocks_;
}

// FIPS 180-4 5.1.1: a one bit, zeros, and the number of bits in the last eight bytes of a block.
void keyed_hasher::pad() noexcept
{
    auto bits = 8 * (blocks_ * block_.size() + filled_);
    auto const zeros_from = [this](std::size_t at) {
        std::fill(block_.begin() + static_cast<std::ptrdiff_t>(at), block_.end(), std::uint8_t{0});
    };
    block_[filled_++] = 0x80;
    zeros_from(filled_);
    if (filled_ > block_.size() - sizeof bits) {
        take_block();
        zeros_from(0);
    }
    for (auto at = block_.rbegin(); bits != 0; ++at, bits >>= 8) *at = static_cast<std::uint8_t>(bits);
    take_block();
}

// FIPS 180-4 3.1: the most significant byte of a word comes first.
keyed_hasher::words keyed_hasher::digest() const noexcept
{
    words bytes;
    std::transform(std::begin(state_.h), std::end(state_.h), bytes.begin(), [](SHA_LONG word) { return htonl(word); });
    return bytes;
}

std::array<std::uint8_t, 16> keyed_hash(hash_secret const& secret, std::span<char const> bytes) noexcept
{
    keyed_hasher hasher{secret};
    hasher.update({bytes.data(), bytes.size()});
    return hasher.finish();
}

} // namespace penstock::partition
