#include "limiter/redis/slots_outage.hpp"

#include "limiter/redis/error_reply.hpp"

namespace penstock::limiter::redis {

slots_failure failure_of(base::result<std::vector<reply_token>> const& got, bool is_map)
{
    if (!got) {
        auto const is_ours = got.error().category() == error_category();
        return {is_ours ? static_cast<errc>(got.error().value()) : errc::not_connected, got.error().message()};
    }
    if (!got->empty() && got->front().what == reply_token::kind::error) {
        auto const why = errc_of(got->front().text);
        // An error without a kind of its own is that of a server that is in no cluster: it says it to every call.
        return {why == errc::script ? errc::cluster : why, shown(got->front().text)};
    }
    if (is_map) return {errc::cluster, "no slot has an owner"};
    return {errc::protocol, "the answer makes no sense"};
}

bool slots_outage::failed(errc why, base::instant now)
{
    if (!breaker_.failed(why, now)) return false;
    trouble_ = "breaker open: " + std::string(name_of(why)) + ": nobody tells the slots of the cluster";
    return true;
}

void slots_outage::ends(base::instant now) noexcept
{
    breaker_.succeeded();
    if (breaker_.start_probe_on_new_connection()) breaker_.probe_succeeded(now);
    trouble_.clear();
}

} // namespace penstock::limiter::redis
