// HMAC-SHA-256 (RFC 2104) in pieces, truncated to 128 bits as AK-5 allows. Allocates nothing. Used by text_hasher only. Pure.
#pragma once

#include "partition/hash_secret.hpp"

#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::partition {

class keyed_hasher {
public:
    using digest = std::array<std::uint8_t, 16>;

    explicit keyed_hasher(hash_secret const& secret) noexcept; // which must outlive it
    void update(std::string_view bytes) noexcept;
    [[nodiscard]] digest finish() noexcept; // once

private:
    void begin(hash_secret::sha256_state const& state) noexcept;
    void take_block() noexcept;
    void pad() noexcept;
    void write_digest(std::uint8_t* to) const noexcept;

    hash_secret const& secret_;
    SHA256_CTX state_;                              // only its eight words are used
    std::array<std::uint8_t, SHA256_CBLOCK> block_; // what is not taken in yet: filled_ bytes of it
    std::size_t filled_;                            // fewer than a block
    std::uint64_t taken_;                           // bytes taken in, the block of the secret among them
};

} // namespace penstock::partition
