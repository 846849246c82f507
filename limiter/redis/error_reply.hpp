// What an error that Redis answers means for the limiter. Pure.
#pragma once

#include "limiter/error.hpp"
#include "limiter/redis/reply_reader.hpp"

#include <string_view>

namespace penstock::limiter::redis {

// The meaning of an error reply, by its first word, also of one that a script raised. NOSCRIPT is errc::script: see is_noscript().
errc errc_of(std::string_view error) noexcept;
bool is_noscript(reply const& answer) noexcept;

} // namespace penstock::limiter::redis
