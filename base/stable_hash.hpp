// SipHash (Aumasson and Bernstein, 2012): a keyed hash of 64 or 128 bits that gives the same value on every machine. Who does
// not know the key cannot find inputs that collide, so callers may choose the bytes freely. The round counts are parameters:
// <1, 3> for tables in memory and caches, <2, 4> where hashes are shown. Pure; used by limiter/memory_store, auth/token_cache,
// partition/digest_cache.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace penstock::base {

struct hash_key {
    std::uint64_t k0 = 0; // the key's first eight bytes, little endian
    std::uint64_t k1 = 0;
};

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

namespace detail {

struct sip_state {
    std::uint64_t v0, v1, v2, v3;

    constexpr void round() noexcept
    {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    }
    [[nodiscard]] constexpr std::uint64_t folded() const noexcept { return v0 ^ v1 ^ v2 ^ v3; }
};

constexpr sip_state start(hash_key key) noexcept
{
    return {key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d, key.k0 ^ 0x6c7967656e657261, key.k1 ^ 0x7465646279746573};
}

// Everything up to the final rounds.
template <int CompressionRounds>
void absorb_all(sip_state& s, std::string_view bytes) noexcept
{
    auto const absorb = [&s](std::uint64_t word) {
        s.v3 ^= word;
        for (int i = 0; i < CompressionRounds; ++i) s.round();
        s.v0 ^= word;
    };

    auto const* at = bytes.data();
    auto left = bytes.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, 8);
        absorb(word);
    }
    std::uint64_t last = 0;
    if (left > 0) std::memcpy(&last, at, left);
    absorb(last | static_cast<std::uint64_t>(bytes.size()) << 56);
}

} // namespace detail

template <int CompressionRounds, int FinalRounds>
std::uint64_t sip_hash(hash_key key, std::string_view bytes) noexcept
{
    auto s = detail::start(key);
    detail::absorb_all<CompressionRounds>(s, bytes);
    s.v2 ^= 0xff;
    for (int i = 0; i < FinalRounds; ++i) s.round();
    return s.folded();
}

// The first eight bytes of the hash, little endian, then the others.
template <int CompressionRounds, int FinalRounds>
std::array<std::uint64_t, 2> sip_hash_128(hash_key key, std::string_view bytes) noexcept
{
    auto s = detail::start(key);
    s.v1 ^= 0xee;
    detail::absorb_all<CompressionRounds>(s, bytes);
    s.v2 ^= 0xee;
    for (int i = 0; i < FinalRounds; ++i) s.round();
    auto const first = s.folded();
    s.v1 ^= 0xdd;
    for (int i = 0; i < FinalRounds; ++i) s.round();
    return {first, s.folded()};
}

} // namespace penstock::base
