// What a new connection says before it may be asked, and whether Redis welcomed it: login, database, PING. Bytes and replies
// only; called by link. Pure.
#pragma once

#include "limiter/redis/codec.hpp"
#include "limiter/redis/redis_settings.hpp"

#include <string>

namespace penstock::limiter::redis {

class greeting {
public:
    // Appends all of it, and begins to wait for the replies.
    void begin(std::string& out, redis_settings const& wanted);

    enum class step : std::uint8_t { more, welcome };
    // The next reply; an error reply's meaning, or errc::protocol for what is no answer to a greeting.
    base::result<step> take(reply const& answer) noexcept;

private:
    unsigned due_ = 0; // replies
};

} // namespace penstock::limiter::redis
