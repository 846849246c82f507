// The fleet's secret for keyed hashes, kept as what HMAC-SHA-256 (RFC 2104) makes of it before it sees a message: the states of
// SHA-256 behind the inner and behind the outer pad, so that no request hashes those two blocks. The same on every gateway, or
// their counters would not meet. Immutable. Pure.
#pragma once

#include <array>
#include <cstdint>

namespace penstock::partition {

class hash_secret {
public:
    using bytes = std::array<std::uint8_t, 32>;
    using sha256_state = std::array<std::uint32_t, 8>; // FIPS 180-4 5.3.3: H0 to H7

    explicit hash_secret(bytes const& secret) noexcept;

    [[nodiscard]] sha256_state const& inner() const noexcept { return inner_; }
    [[nodiscard]] sha256_state const& outer() const noexcept { return outer_; }

    friend bool operator==(hash_secret const&, hash_secret const&) noexcept = default;

private:
    sha256_state inner_;
    sha256_state outer_;
};

} // namespace penstock::partition
