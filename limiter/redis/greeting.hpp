// What a new connection says before it may be asked, and whether Redis welcomed it: login, database, whether it is a primary
// where sentinels named it one, PING. Bytes and replies only; called by dialer. Pure.
#pragma once

#include "limiter/redis/redis_settings.hpp"
#include "limiter/redis/reply_reader.hpp"

#include <string>
#include <string_view>

namespace penstock::limiter::redis {

class greeting {
public:
    // Appends all of it, and begins to wait for the replies. `password` stands in for the settings' own.
    void begin(std::string& out, redis_settings const& wanted, std::string_view password);

    enum class step : std::uint8_t { more, welcome };
    // The next reply; or an error reply's meaning, errc::read_only for a replica, errc::protocol for what is no answer.
    base::result<step> take(reply const& answer) noexcept;

private:
    unsigned due_ = 0;       // replies
    bool asks_role_ = false; // then that reply is the last but one
};

} // namespace penstock::limiter::redis
