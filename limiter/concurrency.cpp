#include "limiter/concurrency.hpp"

#include <algorithm>
#include <cassert>

namespace penstock::limiter {
namespace {

counter_state holding(std::int64_t permits) noexcept { return {permits > 0 ? held_until_us : 0, permits}; }

} // namespace

std::optional<concurrency> make_concurrency(std::int64_t limit)
{
    if (limit < 1 || limit > largest_window_limit) return std::nullopt;
    return concurrency{limit};
}

advanced advance_concurrency(concurrency const& parameters, counter_state const* state, std::int64_t cost) noexcept
{
    assert(cost >= 0);
    auto const held = state ? state->extra : 0;

    advanced result;
    result.repaired = holding(held);
    result.next = result.repaired;
    result.idle.remaining = std::max<std::int64_t>(parameters.limit - held, 0); // a lowered limit may be overdrawn
    result.decision = result.idle;
    if (cost > result.idle.remaining) {
        result.idle.allowed = false;
        result.idle.retry_after = cost > parameters.limit ? never : permit_retry;
        result.decision = result.idle;
        return result;
    }
    result.next = holding(held + cost);
    result.decision.remaining -= cost;
    return result;
}

bool refund_concurrency(counter_state& state, charge const& taken) noexcept
{
    if (taken.cost < 1 || state.extra == 0) return false;
    state = holding(std::max<std::int64_t>(state.extra - taken.cost, 0));
    return true;
}

} // namespace penstock::limiter
