// The fleet's secret for keyed hashes, kept as what HMAC-SHA-256 (RFC 2104) makes of it before it sees a message: the states of
// SHA-256 behind the inner and behind the outer pad, so that no request hashes those two blocks. The same on every gateway, or
// their counters would not meet. Immutable. Pure.
#pragma once

#include "partition/sha256.hpp"

#include <array>
#include <cstdint>

namespace penstock::partition {

class hash_secret {
public:
    using bytes = std::array<std::uint8_t, 32>;

    explicit hash_secret(bytes const& secret) noexcept;

    [[nodiscard]] sha256::state const& inner() const noexcept { return inner_; }
    [[nodiscard]] sha256::state const& outer() const noexcept { return outer_; }

    friend bool operator==(hash_secret const&, hash_secret const&) noexcept = default;

private:
    sha256::state inner_;
    sha256::state outer_;
};

} // namespace penstock::partition
