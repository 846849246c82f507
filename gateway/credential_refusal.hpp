// Why a request's credentials are refused: what the answer, the log and the metric are made of. Value.
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::gateway {

enum class credential_refusal : std::uint8_t {
    none,
    api_key_repeated,  // given twice, or in two places (AK-2)
    api_key_malformed, // empty, longer than 512 bytes, or not visible ASCII (AK-7)
    api_key_unknown,   // not among those that the configuration names
    api_key_denied,    // named in a deny list
    token_malformed,   // presented in a way that a token must not be (AK-41, AK-42)
    token_invalid,     // no good; token_checks_total says why
    key_missing,       // the request lacks the key of a limit that says `on_missing_key: reject`
};
inline constexpr std::size_t credential_refusal_count = 8;

constexpr std::string_view name_of(credential_refusal why) noexcept
{
    switch (why) {
    case credential_refusal::none: return "none";
    case credential_refusal::api_key_repeated: return "api_key_repeated";
    case credential_refusal::api_key_malformed: return "api_key_malformed";
    case credential_refusal::api_key_unknown: return "api_key_unknown";
    case credential_refusal::api_key_denied: return "api_key_denied";
    case credential_refusal::token_malformed: return "token_malformed";
    case credential_refusal::token_invalid: return "token_invalid";
    case credential_refusal::key_missing: return "key_missing";
    }
    return "unknown";
}

} // namespace penstock::gateway
