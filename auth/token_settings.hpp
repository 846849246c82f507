// Whose tokens are accepted, and under which conditions: `auth.jwt` of the configuration as plain values, defaults written once
// here. Filled by conf, immutable from then on. Pure value.
#pragma once

#include "auth/algorithm.hpp"
#include "auth/key_set.hpp"
#include "base/clock.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::auth {

inline constexpr std::size_t longest_claim_path = 128;
inline constexpr std::size_t longest_claim_value = 256;

// How a key set that is not written into the configuration is kept up to date.
struct key_source {
    std::string file;                   // of a JWK set; empty: none
    std::string url;                    // likewise
    std::string ca_file;                // whom to trust beside nobody else for `url`; empty: the system's authorities
    base::micros refresh{600'000'000};  // of a URL, unless its Cache-Control says sooner
    base::micros cooldown{30'000'000};  // between two fetches, whatever tokens name (AK-35)
    base::micros timeout{5'000'000};    // of one fetch
    base::micros stale{86'400'000'000}; // keys that have not been confirmed for so long are forgotten; 0: never

    friend bool operator==(key_source const&, key_source const&) = default;
};

struct issuer {
    std::string name;                   // `iss`, to the byte (AK-31)
    std::vector<std::string> audiences; // `aud` must hold one of them; empty: whatever it holds
    std::vector<algorithm> algorithms;  // in order of preference
    base::micros leeway{30'000'000};    // of clocks that differ
    std::string type;                   // `typ`, without application/ and in lower case; empty: whatever it is
    std::vector<std::string> scopes;    // a token must grant each of them
    key_source source;
    key_set_ptr keys; // as the configuration's files had them; null: still to be fetched
};

enum class invalid_token : std::uint8_t { reject, anonymous };

struct token_settings {
    std::vector<issuer> issuers;
    invalid_token on_invalid = invalid_token::reject;
    std::string realm = "api";
    std::string resource_metadata;      // URL for the challenge (RFC 9728 section 5.1); empty: none
    std::vector<std::string> claims;    // the paths that keys and tiers ask for, sorted
    std::size_t cached_tokens = 10'000; // most that one worker remembers
};

} // namespace penstock::auth
