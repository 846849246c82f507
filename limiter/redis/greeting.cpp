#include "limiter/redis/greeting.hpp"

namespace penstock::limiter::redis {

void greeting::begin(std::string& out, redis_settings const& wanted)
{
    due_ = 1;
    if (!wanted.password.empty()) {
        append_auth(out, wanted.user, wanted.password);
        ++due_;
    }
    if (wanted.database != 0) {
        append_select(out, wanted.database);
        ++due_;
    }
    append_ping(out);
}

base::result<greeting::step> greeting::take(reply const& answer) noexcept
{
    if (answer.kind == reply::type::error) return errc_of(answer.text);
    if (answer.kind != reply::type::status || due_ == 0) return errc::protocol;
    return --due_ == 0 ? step::welcome : step::more;
}

} // namespace penstock::limiter::redis
