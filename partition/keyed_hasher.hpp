// HMAC-SHA-256 (RFC 2104) in pieces, truncated to 128 bits, for bytes that are not held in one place. Allocates nothing.
// Used by partition_key only; everybody else calls keyed_hash. Pure.
#pragma once

#include "partition/partition_key.hpp"

#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace penstock::partition {

class keyed_hasher {
public:
    explicit keyed_hasher(hash_secret const& secret) noexcept;
    void update(std::string_view bytes) noexcept { absorb(std::as_bytes(std::span{bytes})); }
    [[nodiscard]] std::array<std::uint8_t, 16> finish() noexcept; // once

private:
    using words = std::array<SHA_LONG, 8>;

    void begin(words const& behind_the_secret) noexcept;
    void absorb(std::span<std::byte const> bytes) noexcept;
    void take_block() noexcept;
    void pad() noexcept;
    [[nodiscard]] words digest() const noexcept;

    SHA256_CTX state_; // only its eight words are used
    words outer_;
    std::array<std::uint8_t, SHA256_CBLOCK> block_; // what is not taken in yet: filled_ bytes of it
    std::size_t filled_;                            // fewer than a block
    std::uint64_t blocks_;                          // taken in, that of the secret among them
};

} // namespace penstock::partition
