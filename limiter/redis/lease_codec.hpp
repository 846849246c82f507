// The call of lua/lease.lua as bytes, and its reply as values. Knows that script's calling convention; acquire's and all that
// both share is codec's. Called by redis_store. Pure.
#pragma once

#include "limiter/lease.hpp"
#include "limiter/redis/codec.hpp"

#include <string>

namespace penstock::limiter::redis {

// What the script is told beside the key. `asked.algorithm` can be leased.
std::string lease_arguments(lease_request const& asked);

// Appends one call. `test_now` replaces the server's clock, for tests. `asked.algorithm` can be leased.
void append_lease(std::string& out, calling how, lease_request const& asked, base::instant const* test_now);

// The reply, or why it is none: errc::protocol for what the script does not answer.
base::result<lease_answer> decode_lease(reply const& answer) noexcept;

} // namespace penstock::limiter::redis
