// What is left of a token once its signature and its claims have been checked: the claims that keys and tiers ask for, as
// text. Immutable; shared by the cache and by the exchanges that use it, so that their views stay good. Pure value.
#pragma once

#include "base/request_facts.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace penstock::auth {

struct verified_token {
    std::size_t issuer = 0;            // index into token_settings::issuers
    std::string issuer_name;           // `iss`
    std::vector<base::field> claims;   // path -> text, sorted by path; views into `text` and into token_settings::claims
    std::string text;                  // the values, one behind the other
    std::int64_t expires_us = 0;       // `exp` and the leeway, since the epoch: from then on it is invalid
    std::uint64_t key_set_version = 0; // of the issuer's keys when it was verified

    verified_token() = default;
    verified_token(verified_token const&) = delete; // claims view text
    verified_token& operator=(verified_token const&) = delete;
};

using verified_token_ptr = std::shared_ptr<verified_token const>;

} // namespace penstock::auth
