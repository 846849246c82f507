#include "limiter/redis/announcement.hpp"

#include "limiter/redis/error_reply.hpp"

#include <array>
#include <cstring>
#include <limits>

namespace penstock::limiter::redis {

std::string pack_announcement(std::int64_t id, base::micros lapse)
{
    std::array const words{static_cast<double>(id), static_cast<double>(lapse.count())};
    std::string bytes(sizeof words, '\0');
    std::memcpy(bytes.data(), words.data(), sizeof words);
    return bytes;
}

base::result<fleet_part> decode_announcement(reply const& answer) noexcept
{
    if (answer.kind == reply::type::error) return errc_of(answer.text);
    std::array<std::int64_t, 3> words{};
    if (answer.kind != reply::type::bulk || answer.size != sizeof words) return errc::protocol;
    std::memcpy(words.data(), answer.text.data(), sizeof words);
    auto const [now, alive, place] = words;
    static_cast<void>(now);
    if (alive < 1 || alive > std::numeric_limits<std::int32_t>::max() || place < 0 || place >= alive) return errc::protocol;
    return fleet_part{.gateways = static_cast<std::uint32_t>(alive), .place = static_cast<std::uint32_t>(place)};
}

} // namespace penstock::limiter::redis
