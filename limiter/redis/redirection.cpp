#include "limiter/redis/redirection.hpp"

#include <charconv>

namespace penstock::limiter::redis {
namespace {

template <class Number>
bool parse_number(std::string_view text, Number& into) noexcept
{
    auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), into);
    return failed == std::errc{} && end == text.data() + text.size();
}

} // namespace

bool parse_redis_address(std::string_view text, redis_address& into)
{
    auto const colon = text.rfind(':');
    if (colon == std::string_view::npos || !parse_number(text.substr(colon + 1), into.port) || into.port == 0) return false;
    auto host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    into.host = host == "?" ? std::string_view{} : host;
    return true;
}

redirection read_redirection(std::string_view error)
{
    if (error == "TRYAGAIN" || error.starts_with("TRYAGAIN ")) return {redirection::kind::try_again, 0, {}};
    redirection read;
    if (error.starts_with("MOVED "))
        read.what = redirection::kind::moved;
    else if (error.starts_with("ASK "))
        read.what = redirection::kind::ask;
    else
        return {};
    error.remove_prefix(error.find(' ') + 1);
    auto const space = error.find(' ');
    if (space == std::string_view::npos || !parse_number(error.substr(0, space), read.slot) || read.slot >= slot_count ||
        !parse_redis_address(error.substr(space + 1), read.to))
        return {};
    return read;
}

} // namespace penstock::limiter::redis
