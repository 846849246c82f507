// HMAC-SHA-256 in pieces, truncated to 128 bits, for bytes that are not held in one place. Allocates nothing.
// Used by partition_key only; everybody else calls keyed_hash. Pure.
#pragma once

#include "partition/partition_key.hpp"

#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace penstock::partition {

class keyed_hasher {
public:
    explicit keyed_hasher(hash_secret const& secret) noexcept;
    void update(std::string_view bytes) noexcept;
    [[nodiscard]] std::array<std::uint8_t, 16> finish() noexcept; // once

private:
    SHA256_CTX inner_;
    std::array<SHA_LONG, 8> outer_; // its state behind the block of the secret
};

} // namespace penstock::partition
