#include "limiter/outage_share.hpp"

#include "base/stable_hash.hpp"

#include <algorithm>
#include <numeric>

namespace penstock::limiter {
namespace {

__extension__ using wide = __int128;

constexpr std::int64_t finest_denominator = 1'000'000;
constexpr std::int64_t millisecond = 1000;

// A share whose own pace has too large a denominator gets the next slower one.
token_bucket slower_bucket(token_bucket const& whole, std::int64_t permits) noexcept
{
    auto const denominator = std::clamp<std::int64_t>((exact_bound - 1) / permits, 1, finest_denominator);
    auto const interval = wide{whole.interval_us} * whole.interval_den + whole.interval_num;
    auto const divisor = wide{whole.interval_den} * permits;
    auto const slowed = static_cast<std::int64_t>((interval * whole.capacity * denominator + divisor - 1) / divisor);
    auto const common = std::gcd(slowed % denominator, denominator);
    return {.capacity = permits,
            .interval_us = slowed / denominator,
            .interval_num = slowed % denominator / common,
            .interval_den = denominator / common};
}

// A counter on its way to where it begins.
class beginning {
public:
    explicit beginning(algorithm const& share) noexcept : share_(share) {}

    void charge(std::int64_t cost, base::instant at)
    {
        if (cost < 1) return;
        if (keeps_long_state(share_)) {
            if (!std::holds_alternative<long_state>(state_)) state_ = long_state{};
            keep_charge(share_, std::get<long_state>(state_), cost, at);
        } else {
            state_ = advance(share_, std::get_if<counter_state>(&state_), cost, at).next;
        }
    }
    [[nodiscard]] std::int64_t remaining(base::instant now) const noexcept
    {
        auto const look = keeps_long_state(share_) ? advance_long(share_, std::get_if<long_state>(&state_), 0, now)
                                                   : advance(share_, std::get_if<counter_state>(&state_), 0, now);
        return look.idle.remaining;
    }
    any_state take() noexcept { return std::move(state_); }

private:
    algorithm const& share_;
    any_state state_;
};

// When what is missing is taken to have been charged: as the answer was given, and for a window that a first request begins so
// that it ends when the store's does.
base::instant charged_at(algorithm const& share, last_answer const& known, base::instant now) noexcept
{
    auto at = std::min(known.at, now);
    if (auto const* window = std::get_if<fixed_window>(&share)) {
        auto const begin = base::since_epoch_us(at + known.reset_after) - window->window_us + millisecond - 1;
        at = std::min(at, base::at_epoch_us(begin - begin % millisecond));
    }
    return at;
}

} // namespace

std::optional<algorithm> outage_share(algorithm const& whole, std::string_view key, fleet_part const& part) noexcept
{
    if (part.gateways < 2) return whole;
    auto const turn = base::sip_hash<1, 3>({}, key) % part.gateways; // of every gateway the same
    auto const index = static_cast<unsigned>((part.place + turn) % part.gateways);
    if (auto exact = shard_of(whole, index, part.gateways)) return exact;
    auto const* bucket = std::get_if<token_bucket>(&whole);
    if (!bucket) return std::nullopt;
    auto const permits = bucket->capacity / part.gateways + (index < bucket->capacity % part.gateways ? 1 : 0);
    if (permits == 0) return std::nullopt;
    return slower_bucket(*bucket, permits);
}

any_state outage_entry(algorithm const& share, std::int64_t burst, std::optional<last_answer> const& known, base::instant now)
{
    auto const most = burst_of(share);
    beginning counter(share);
    if (known) {
        auto const told = std::clamp<std::int64_t>(known->remaining, 0, burst);
        auto const left = static_cast<std::int64_t>(wide{told} * most / burst);
        counter.charge(most - left, charged_at(share, *known, now));
    }
    counter.charge(counter.remaining(now) - (most - most / 2), now);
    return counter.take();
}

any_state counter_after(algorithm const& limit, last_answer const& charge, base::instant now)
{
    auto const most = burst_of(limit);
    beginning counter(limit);
    counter.charge(most - std::clamp<std::int64_t>(charge.remaining, 0, most), charged_at(limit, charge, now));
    return counter.take();
}

} // namespace penstock::limiter
