#include "limiter/fixed_window.hpp"

#include <algorithm>
#include <cassert>

namespace penstock::limiter {
namespace {

constexpr std::int64_t millisecond = 1000;

// Where a window ends that starts now. Its start is rounded down, so that windows meet and never overlap, and nobody is told
// to wait longer than a window.
std::int64_t end_of_window(fixed_window const& parameters, std::int64_t now_us) noexcept
{
    return now_us - now_us % millisecond + parameters.window_us;
}

} // namespace

std::optional<fixed_window> make_fixed_window(std::int64_t limit, base::micros window)
{
    if (limit < 1 || limit > largest_window_limit) return std::nullopt;
    if (window.count() < shortest_window_us || window.count() > longest_us) return std::nullopt;
    if (window.count() % millisecond != 0) return std::nullopt;
    return fixed_window{limit, window.count()};
}

advanced advance_fixed_window(fixed_window const& parameters, counter_state const* state, std::int64_t cost,
                              base::instant now) noexcept
{
    assert(cost >= 0);
    auto const now_us = base::since_epoch_us(now);
    auto const latest_end = end_of_window(parameters, now_us);
    auto const open = state && now_us < state->until_us;
    auto const used = open ? state->extra : 0;
    auto const end = open ? std::min(state->until_us, latest_end) : latest_end;
    base::micros const until_end{end - now_us};

    advanced result;
    result.needs_repair = open && end != state->until_us;
    result.repaired = open ? counter_state{end, used} : counter_state{now_us, 0};
    result.next = result.repaired;
    result.idle = {.allowed = true,
                   .remaining = std::max<std::int64_t>(parameters.limit - used, 0), // a lowered limit may be overdrawn
                   .reset_after = open ? until_end : base::micros{0},
                   .retry_after = {}};
    if (cost > result.idle.remaining) {
        result.idle.allowed = false;
        result.idle.retry_after = cost > parameters.limit ? never : until_end;
        result.decision = result.idle;
        return result;
    }
    result.decision = result.idle;
    if (cost == 0) return result;
    result.next = {end, used + cost};
    result.decision.remaining -= cost;
    result.decision.reset_after = until_end;
    return result;
}

bool refund_fixed_window(counter_state& state, charge const& taken, base::instant now) noexcept
{
    // Windows of one counter never end at the same instant, so the end tells whether it is still the same one.
    auto const charged_window_end = base::since_epoch_us(taken.at + taken.reset_after);
    if (taken.cost < 1 || state.until_us != charged_window_end) return false;
    if (now < taken.at || base::since_epoch_us(now) >= state.until_us || state.extra == 0) return false;
    state.extra = std::max<std::int64_t>(state.extra - taken.cost, 0);
    return true;
}

} // namespace penstock::limiter
