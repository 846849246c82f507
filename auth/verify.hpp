// Whether a token says the truth (RFC 7519 section 7.2, RFC 8725): format, header, issuer, key, registered claims, and last,
// because it costs most, the signature. Nothing of a token is believed before that; nothing in it is ever fetched or opened
// (AK-29). Called by gateway/token_check on a worker's thread. Pure: keys and time are handed in.
#pragma once

#include "auth/refusal.hpp"
#include "auth/token_settings.hpp"
#include "auth/verified_token.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace penstock::auth {

struct verification {
    refusal why = refusal::none;
    std::optional<std::size_t> issuer;     // index; as far as the token names one that is configured
    std::shared_ptr<verified_token> token; // if `why` is none
};

// `keys` by issuer, null where none are known. `now_us`: wall clock since the epoch.
verification verify(token_settings const& settings, std::span<key_set_ptr const> keys, std::string_view token,
                    std::int64_t now_us);

} // namespace penstock::auth
