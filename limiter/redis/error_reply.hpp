// What an error that Redis answers means for the limiter, and what of it people may be shown. Pure.
#pragma once

#include "limiter/error.hpp"
#include "limiter/redis/reply_reader.hpp"

#include <string>
#include <string_view>

namespace penstock::limiter::redis {

// The meaning of an error reply, by its first word, also of one that a script raised. NOSCRIPT is errc::script: see is_noscript().
errc errc_of(std::string_view error) noexcept;
bool is_noscript(reply const& answer) noexcept;

// What of an error reply may leave the limiter, for a log, a metric or an admin's answer: one printable line of a bounded length.
// Redis repeats what it was sent, a password or a caller's identity among it, in quotes and behind "with args": none of that.
std::string shown(std::string_view error);

} // namespace penstock::limiter::redis
