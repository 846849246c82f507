// Where a request presents its token: Authorization: Bearer, once (RFC 6750 section 2.1, AK-42). Knows nothing of what a token
// says. Pure.
#pragma once

#include "base/request_facts.hpp"

#include <cstdint>
#include <string_view>

namespace penstock::gateway {

struct bearer {
    enum class presence : std::uint8_t {
        absent,
        presented,
        malformed, // no token behind the word, anything but a space there, two of them, or another one in the query
    };
    presence how = presence::absent;
    std::string_view token;
};

// Does not look at the token's bytes: a request whose token is known needs them looked at once only.
bearer find_bearer(base::request_facts const& facts) noexcept;

// Whether they are bytes that RFC 6750 allows there; else the request is malformed, too.
bool is_token68(std::string_view text) noexcept;

} // namespace penstock::gateway
