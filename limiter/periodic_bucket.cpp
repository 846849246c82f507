#include "limiter/periodic_bucket.hpp"

#include <algorithm>
#include <cassert>

namespace penstock::limiter {
namespace {

__extension__ using wide = __int128;

constexpr std::int64_t millisecond = 1000;

constexpr std::int64_t divided_up(std::int64_t a, std::int64_t b) noexcept { return a / b + (a % b > 0 ? 1 : 0); }

// What is missing at one instant, and when the next refill comes.
struct level {
    std::int64_t missing = 0;
    std::int64_t next_refill_us = 0; // of a full bucket: what it would be after a charge now
    bool clamped = false;
};

level level_at(periodic_bucket const& of, counter_state const* state, std::int64_t now_us) noexcept
{
    if (!state || state->until_us <= now_us) return {.next_refill_us = now_us - now_us % millisecond + of.period_us};
    auto const refills = divided_up(state->until_us - now_us, of.period_us); // still to come
    auto const next_refill = state->until_us - (refills - 1) * of.period_us;
    auto const most = divided_up(of.capacity, of.refill);
    if (refills > most) return {of.capacity, next_refill, true};
    // `refill` may have been lowered since, or the capacity.
    auto const missing = std::min(state->extra, of.refill) + (refills - 1) * of.refill;
    return {std::min(missing, of.capacity), next_refill, missing > of.capacity || state->extra > of.refill};
}

counter_state state_of(periodic_bucket const& of, level const& at, std::int64_t now_us) noexcept
{
    if (at.missing <= 0) return {now_us, 0};
    auto const refills = divided_up(at.missing, of.refill);
    return {at.next_refill_us + (refills - 1) * of.period_us, at.missing - (refills - 1) * of.refill};
}

// Until enough refills have come that no more than `most` permits are missing.
base::micros until_missing(periodic_bucket const& of, level const& at, std::int64_t most, std::int64_t now_us) noexcept
{
    auto const refills = divided_up(at.missing - most, of.refill);
    return base::micros{at.next_refill_us + (refills - 1) * of.period_us - now_us};
}

} // namespace

std::optional<periodic_bucket> make_periodic_bucket(std::int64_t capacity, std::int64_t refill, base::micros period)
{
    if (capacity < 1 || capacity > largest_window_limit || refill < 1 || refill > largest_window_limit) return std::nullopt;
    if (period.count() < shortest_window_us || period.count() % millisecond != 0) return std::nullopt;
    if (wide{divided_up(capacity, refill)} * period.count() > longest_us) return std::nullopt;
    return periodic_bucket{capacity, refill, period.count()};
}

std::optional<periodic_bucket> with_capacity(periodic_bucket const& parameters, std::int64_t capacity) noexcept
{
    if (capacity < 1 || capacity > largest_window_limit) return std::nullopt;
    auto const product = wide{parameters.refill} * capacity;
    if (product % parameters.capacity != 0 || product / parameters.capacity > largest_window_limit) return std::nullopt;
    auto const refill = static_cast<std::int64_t>(product / parameters.capacity);
    return make_periodic_bucket(capacity, refill, base::micros{parameters.period_us});
}

base::micros time_to_refill(periodic_bucket const& parameters) noexcept
{
    return base::micros{divided_up(parameters.capacity, parameters.refill) * parameters.period_us};
}

advanced advance_periodic_bucket(periodic_bucket const& parameters, counter_state const* state, std::int64_t cost,
                                 base::instant now) noexcept
{
    assert(cost >= 0);
    auto const now_us = base::since_epoch_us(now);
    auto at = level_at(parameters, state, now_us);

    advanced result;
    result.needs_repair = at.clamped;
    result.repaired = state_of(parameters, at, now_us);
    result.next = result.repaired;
    result.idle.remaining = parameters.capacity - at.missing;
    result.idle.reset_after = base::micros{result.repaired.until_us - now_us};
    result.decision = result.idle;
    if (cost > result.idle.remaining) {
        result.idle.allowed = false;
        result.idle.retry_after =
            cost > parameters.capacity ? never : until_missing(parameters, at, parameters.capacity - cost, now_us);
        result.decision = result.idle;
        return result;
    }
    at.missing += cost;
    result.next = state_of(parameters, at, now_us);
    result.decision.remaining -= cost;
    result.decision.reset_after = base::micros{result.next.until_us - now_us};
    return result;
}

bool refund_periodic_bucket(periodic_bucket const& parameters, counter_state& state, charge const& taken,
                            base::instant now) noexcept
{
    auto const now_us = base::since_epoch_us(now);
    auto const charged_us = base::since_epoch_us(taken.at);
    auto const full_us = base::since_epoch_us(taken.at + taken.reset_after);
    if (taken.cost < 1 || taken.cost > parameters.capacity || now < taken.at) return false;
    if (now_us >= state.until_us || now_us >= full_us) return false;
    // Until it was full its refills kept their times, so those since the charge can be counted.
    auto const refilled =
        divided_up(full_us - charged_us, parameters.period_us) - divided_up(full_us - now_us, parameters.period_us);
    if (divided_up(taken.cost, parameters.refill) <= refilled) return false;
    auto at = level_at(parameters, &state, now_us);
    at.missing -= taken.cost - refilled * parameters.refill;
    state = state_of(parameters, at, now_us);
    return true;
}

} // namespace penstock::limiter
