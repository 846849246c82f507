// Why a token was not accepted: what the metrics call it, and what the client may be told (RFC 6750 section 3.1). Knows no
// token: none of its words repeats a byte of one. Returned by auth/verify, counted and answered by the gateway. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace penstock::auth {

enum class refusal : std::uint8_t {
    none,      // accepted
    request,   // the request gives it twice, in two ways, or without a token (400)
    too_long,  // more than 8 KiB (AK-36)
    format,    // no three base64url segments (AK-26, AK-27, AK-37), or no JSON objects in them
    algorithm, // none, or not in the issuer's list (AK-21, AK-22)
    critical,  // `crit` or `b64`: an extension that is not understood (AK-28)
    type,      // `typ` is not what the issuer's profile says (AK-33)
    issuer,    // `iss` is nobody that is configured (AK-31)
    key,       // no key of the issuer fits `kid` and `alg` (AK-23, AK-29)
    no_keys,   // nothing is known yet, or any longer, of the issuer's keys
    signature, // (AK-20, AK-25)
    expired,   // `exp` has passed (AK-30)
    too_early, // `nbf` or `iat` lies in the future (AK-30)
    claims,    // `exp` is missing, or a registered claim has a type that it must not have
    audience,  // meant for somebody else (AK-32)
    scope,     // genuine, but its holder may not do this (403)
};
inline constexpr std::size_t refusal_count = 16;

// The label of a metric; `none` is "accepted".
std::string_view name_of(refusal why) noexcept;
// A sentence for the client.
std::string_view describe(refusal why) noexcept;

} // namespace penstock::auth
