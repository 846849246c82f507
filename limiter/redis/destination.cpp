#include "limiter/redis/destination.hpp"

#include <utility>

namespace penstock::limiter::redis {

bool destination::is_to_be_searched()
{
    if (!wanted_.sentinels) return false;
    if (!news_) return true;
    primary_ = *std::exchange(news_, std::nullopt);
    return false;
}

void destination::found(redis_address primary, std::size_t told_by)
{
    primary_ = std::move(primary);
    first_asked_ = told_by;
}

bool destination::heard(redis_address const& primary)
{
    if (primary == primary_) return false;
    news_ = primary;
    return true;
}

redis_address destination::address() const { return wanted_.sentinels ? primary_ : redis_address{wanted_.host, wanted_.port}; }

std::string destination::server_name() const
{
    return wanted_.tls && !wanted_.tls->server_name.empty() ? wanted_.tls->server_name : address().host;
}

std::string destination::text() const
{
    if (!wanted_.unix_path.empty()) return wanted_.unix_path;
    if (!wanted_.sentinels) return to_string(address());
    auto const name = "the primary of " + wanted_.sentinels->primary;
    return primary_.host.empty() ? name : to_string(primary_) + ", " + name;
}

} // namespace penstock::limiter::redis
