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
        malformed, // no token behind the word, a byte that no token has, two of them, or another one in the query
    };
    presence how = presence::absent;
    std::string_view token;
};

bearer find_bearer(base::request_facts const& facts) noexcept;

} // namespace penstock::gateway
