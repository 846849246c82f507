#include "limiter/redis/greeting.hpp"

#include "limiter/redis/codec.hpp"
#include "limiter/redis/error_reply.hpp"
#include "limiter/redis/sentinel_codec.hpp"

namespace penstock::limiter::redis {

void greeting::begin(std::string& out, redis_settings const& wanted, std::string_view password)
{
    due_ = 1;
    if (!password.empty()) {
        append_auth(out, wanted.user, password);
        ++due_;
    }
    if (wanted.database != 0) {
        append_select(out, wanted.database);
        ++due_;
    }
    asks_role_ = wanted.sentinels.has_value();
    if (asks_role_) {
        append_role(out);
        ++due_;
    }
    append_ping(out);
}

base::result<greeting::step> greeting::take(reply const& answer) noexcept
{
    if (due_ == 0) return errc::protocol;
    if (answer.kind == reply::type::error) return errc_of(answer.text);
    if (asks_role_ && due_ == 2) {
        if (auto const no_primary = decode_role(answer)) return no_primary;
    } else if (answer.kind != reply::type::status) {
        return errc::protocol;
    }
    return --due_ == 0 ? step::welcome : step::more;
}

} // namespace penstock::limiter::redis
