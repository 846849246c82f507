// What a gateway says of itself to Redis once a second, and what it is told: lua/announce.lua's arguments and reply. Pure.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "limiter/fleet_part.hpp"
#include "limiter/redis/reply_reader.hpp"

#include <cstdint>
#include <string>

namespace penstock::limiter::redis {

// `id`: 1 to 2^53 - 1, of the process. It counts for `lapse`.
std::string pack_announcement(std::int64_t id, base::micros lapse);
base::result<fleet_part> decode_announcement(reply const& answer) noexcept;

} // namespace penstock::limiter::redis
