// What is asked of a sentinel, and what a server says of its own part, as bytes and values. Knows no socket. Called by
// primary_search and greeting. Pure.
#pragma once

#include "limiter/redis/codec.hpp"
#include "limiter/redis/redis_settings.hpp"

#include <string>
#include <string_view>

namespace penstock::limiter::redis {

// SENTINEL GET-MASTER-ADDR-BY-NAME.
void append_find_primary(std::string& out, std::string_view primary);
// Where it is; errc::no_primary: this sentinel knows none of that name.
base::result<redis_address> decode_primary(reply const& answer);

// The reply to ROLE: nothing if it is a primary's, errc::read_only for a replica's, errc::protocol.
base::error_code decode_role(reply const& answer) noexcept;

} // namespace penstock::limiter::redis
