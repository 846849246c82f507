// What is asked of a sentinel, and what a server says of its own part, as bytes and values. Knows no socket. Called by
// primary_search, primary_watch and greeting. Pure.
#pragma once

#include "limiter/redis/redis_settings.hpp"
#include "limiter/redis/reply_reader.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::limiter::redis {

// SENTINEL GET-MASTER-ADDR-BY-NAME.
void append_find_primary(std::string& out, std::string_view primary);
// Where it is; errc::no_primary: this sentinel knows none of that name.
base::result<redis_address> decode_primary(reply const& answer);

// SUBSCRIBE to one of the channels, and where a message says that this primary is now; nothing for any other. The sentinel that leads a failover says
// +promoted-slave at once, and +switch-master when the other replicas follow, seconds later; the other sentinels say +switch-master.
inline constexpr std::array<std::string_view, 2> news_channels{"+switch-master", "+promoted-slave"};
void append_subscribe(std::string& out, std::string_view channel);
[[nodiscard]] bool is_news(reply const& answer) noexcept; // of a channel, whatever it says; not the reply to SUBSCRIBE
std::optional<redis_address> decode_moved_primary(reply const& message, std::string_view primary);

// The reply to ROLE: nothing if it is a primary's, errc::read_only for a replica's, errc::protocol.
base::error_code decode_role(reply const& answer) noexcept;

} // namespace penstock::limiter::redis
