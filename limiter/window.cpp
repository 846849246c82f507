#include "limiter/window.hpp"

#include <algorithm>
#include <cassert>

namespace penstock::limiter {
namespace {

constexpr std::int64_t millisecond = 1000;

bool can_be_window(std::int64_t limit, base::micros window) noexcept
{
    if (limit < 1 || limit > largest_window_limit) return false;
    if (window.count() < shortest_window_us || window.count() > longest_us) return false;
    return window.count() % millisecond == 0;
}

} // namespace

std::optional<fixed_window> make_fixed_window(std::int64_t limit, base::micros window)
{
    if (!can_be_window(limit, window)) return std::nullopt;
    return fixed_window{limit, window.count()};
}

std::optional<clock_window> make_clock_window(std::int64_t limit, base::micros window)
{
    if (!can_be_window(limit, window)) return std::nullopt;
    return clock_window{limit, window.count()};
}

std::optional<calendar_window> make_calendar_window(std::int64_t limit, calendar const& of)
{
    if (limit < 1 || limit > largest_window_limit) return std::nullopt;
    return calendar_window{limit, &of};
}

// Its start is rounded down, so that windows meet and never overlap, and nobody is told to wait longer than a window.
present_window window_at(fixed_window const& parameters, base::instant now) noexcept
{
    auto const now_us = base::since_epoch_us(now);
    return {parameters.limit, now_us - now_us % millisecond + parameters.window_us};
}

present_window window_at(clock_window const& parameters, base::instant now) noexcept
{
    auto const now_us = base::since_epoch_us(now);
    return {parameters.limit, now_us - now_us % parameters.window_us + parameters.window_us};
}

present_window window_at(calendar_window const& parameters, base::instant now) noexcept
{
    return {parameters.limit, moment_of(*parameters.calendar, now).end};
}

advanced advance_window(present_window const& window, counter_state const* state, std::int64_t cost, base::instant now) noexcept
{
    assert(cost >= 0);
    auto const now_us = base::since_epoch_us(now);
    auto const open = state && now_us < state->until_us;
    auto const used = open ? state->extra : 0;
    auto const end = open ? std::min(state->until_us, window.end_us) : window.end_us;
    base::micros const until_end{end - now_us};

    advanced result;
    result.needs_repair = open && end != state->until_us;
    result.repaired = open ? counter_state{end, used} : counter_state{now_us, 0};
    result.next = result.repaired;
    result.idle = {.allowed = true,
                   .remaining = std::max<std::int64_t>(window.limit - used, 0), // a lowered limit may be overdrawn
                   .reset_after = open ? until_end : base::micros{0},
                   .retry_after = {}};
    if (cost > result.idle.remaining) {
        result.idle.allowed = false;
        result.idle.retry_after = cost > window.limit ? never : until_end;
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

bool refund_window(counter_state& state, charge const& taken, base::instant now) noexcept
{
    // Windows of one counter never end at the same instant, so the end tells whether it is still the same one.
    auto const charged_window_end = base::since_epoch_us(taken.at + taken.reset_after);
    if (taken.cost < 1 || state.until_us != charged_window_end) return false;
    if (now < taken.at || base::since_epoch_us(now) >= state.until_us || state.extra == 0) return false;
    state.extra = std::max<std::int64_t>(state.extra - taken.cost, 0);
    if (state.extra == 0) state.until_us = base::since_epoch_us(now); // untouched: the next charge begins a window of its own
    return true;
}

} // namespace penstock::limiter
