// HMAC-SHA-256 (RFC 2104) in pieces, truncated to 128 bits as AK-5 allows. Allocates nothing. Used by text_hasher only. Pure.
#pragma once

#include "partition/hash_secret.hpp"
#include "partition/sha256.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace penstock::partition {

class keyed_hasher {
public:
    using digest = std::array<std::uint8_t, 16>;

    explicit keyed_hasher(hash_secret const& secret) noexcept // which must outlive it
        : secret_(secret), message_(secret.inner(), sha256::block_size)
    {}
    void update(std::string_view bytes) noexcept { message_.update(bytes); }
    [[nodiscard]] digest finish() noexcept; // once

private:
    hash_secret const& secret_;
    sha256 message_;
};

} // namespace penstock::partition
