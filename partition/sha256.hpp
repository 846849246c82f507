// SHA-256 (FIPS 180-4) of a text that comes in pieces, also from a state that others have left. Over OpenSSL's block function
// instead of EVP, which allocates a context and looks its algorithm up on each use, and instead of SHA256_Update and SHA256_Final,
// which cost half as much again as the one or two blocks of a short value (docs/adr/0005-partition-keys.md). Allocates nothing.
// Used by keyed_hasher, hash_secret and digest_table. Pure.
#pragma once

#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::partition {

using sha256_digest = std::array<std::uint8_t, 32>;

class sha256 {
public:
    static constexpr std::size_t block_size = 64;
    using state = std::array<std::uint32_t, 8>; // FIPS 180-4 5.3.3: H0 to H7

    sha256() noexcept;                                         // of a text from its first byte on
    sha256(state const& behind, std::uint64_t taken) noexcept; // goes on behind whole blocks, of `taken` bytes together
    void update(std::string_view bytes) noexcept;
    [[nodiscard]] state behind_blocks() const noexcept; // of what was taken in, as far as it fills blocks
    [[nodiscard]] sha256_digest finish() noexcept;      // once

private:
    void take_block() noexcept;
    void pad() noexcept;

    SHA256_CTX state_;                           // only its eight words are used
    std::array<std::uint8_t, block_size> block_; // what is not taken in yet: filled_ bytes of it
    std::size_t filled_ = 0;                     // fewer than a block
    std::uint64_t taken_;                        // bytes taken in
};

sha256_digest digest_of(std::string_view text) noexcept; // of a whole text

} // namespace penstock::partition
