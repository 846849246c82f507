// The signature algorithms of tokens (RFC 7518 section 3.1, RFC 8037, RFC 9864) and their names, which have case (AK-21,
// AK-24). What is not here does not exist for this program: `none` least of all. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace penstock::auth {

enum class algorithm : std::uint8_t {
    rs256,
    ps256,
    es256,
    es384,
    eddsa,   // Ed25519 under its older name (RFC 8037)
    ed25519, // the same under the one that says all (RFC 9864)
    hs256,   // needs a secret that is shared with the issuer
};

inline constexpr std::array all_algorithms{algorithm::rs256, algorithm::ps256,   algorithm::es256, algorithm::es384,
                                           algorithm::eddsa, algorithm::ed25519, algorithm::hs256};

std::optional<algorithm> parse_algorithm(std::string_view name) noexcept;
std::string_view name_of(algorithm which) noexcept;

// Two names of one algorithm.
constexpr algorithm without_alias(algorithm which) noexcept { return which == algorithm::eddsa ? algorithm::ed25519 : which; }

} // namespace penstock::auth
