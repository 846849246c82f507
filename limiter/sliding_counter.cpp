#include "limiter/sliding_counter.hpp"

#include <algorithm>
#include <cassert>

namespace penstock::limiter {
namespace {

constexpr std::int64_t millisecond = 1000;
constexpr std::int64_t coarse_ticks = 1000; // in a window whose limit is too large for ticks of a millisecond
constexpr std::int64_t largest_limit = 1'000'000'000;
constexpr int count_bits = 32;

// Permits charged in a window of the clock and in the one before it.
struct counts {
    std::int64_t window = 0; // the clock's windows, numbered from the epoch
    std::int64_t present = 0;
    std::int64_t previous = 0;
};

counts stored_counts(sliding_counter const& of, counter_state const& state) noexcept
{
    return {state.until_us / of.window_us - 2, state.extra & ((std::int64_t{1} << count_bits) - 1), state.extra >> count_bits};
}

counter_state state_of(sliding_counter const& of, counts const& from, std::int64_t now_us) noexcept
{
    if (from.present > 0) return {(from.window + 2) * of.window_us, from.previous << count_bits | from.present};
    if (from.previous > 0) return {(from.window + 1) * of.window_us, from.previous};
    return {now_us, 0};
}

// A limit that was lowered counts as exhausted, not as overdrawn: the wait would be longer than it ever makes anybody wait.
counts counts_at(sliding_counter const& of, counter_state const* state, std::int64_t now_us) noexcept
{
    auto const window = now_us / of.window_us;
    if (!state || state->until_us <= now_us) return {.window = window};
    auto const stored = stored_counts(of, *state);
    if (stored.window > window) return {window, std::min(stored.present + stored.previous, of.limit), 0};
    auto const present = std::min(stored.present, of.limit);
    if (stored.window == window) return {window, present, std::min(stored.previous, of.limit)};
    return {window, 0, present};
}

// Everything in permit-ticks: a permit of the present window is worth all its ticks, one of the previous window as many as
// still overlap.
class weights {
public:
    weights(sliding_counter const& of, counts const& from, std::int64_t now_us) noexcept
        : of_(of), from_(from), ticks_(of.window_us / of.tick_us), left_(ticks_ - now_us % of.window_us / of.tick_us)
    {}

    [[nodiscard]] std::int64_t remaining() const noexcept
    {
        auto const room = (of_.limit - from_.present) * ticks_ - from_.previous * left_;
        return std::max<std::int64_t>(room, 0) / ticks_;
    }
    // The first instant at which a refused `cost` fits: in the present window, or else in the next, where what is present
    // now is previous.
    [[nodiscard]] std::int64_t fits_at_us(std::int64_t cost) const noexcept
    {
        auto const begin = from_.window * of_.window_us;
        auto const room = of_.limit - from_.present - cost;
        if (room >= 0) return begin + (ticks_ - room * ticks_ / from_.previous) * of_.tick_us;
        return begin + of_.window_us + (ticks_ - (of_.limit - cost) * ticks_ / from_.present) * of_.tick_us;
    }

private:
    sliding_counter const& of_;
    counts const& from_;
    std::int64_t ticks_; // of a window
    std::int64_t left_;  // until the present window ends: how much of the previous one still counts
};

} // namespace

std::optional<sliding_counter> make_sliding_counter(std::int64_t limit, base::micros window)
{
    if (limit < 1 || limit > largest_limit) return std::nullopt;
    if (window.count() < shortest_window_us || window.count() > longest_us) return std::nullopt;
    if (window.count() % millisecond != 0) return std::nullopt;
    auto const fine = window.count() / millisecond < exact_bound / limit;
    return sliding_counter{limit, window.count(), fine ? millisecond : window.count() / coarse_ticks};
}

advanced advance_sliding_counter(sliding_counter const& parameters, counter_state const* state, std::int64_t cost,
                                 base::instant now) noexcept
{
    assert(cost >= 0);
    auto const now_us = base::since_epoch_us(now);
    auto at = counts_at(parameters, state, now_us);
    weights const weighed{parameters, at, now_us};

    advanced result;
    result.repaired = state_of(parameters, at, now_us);
    result.next = result.repaired;
    result.needs_repair = state && state->until_us > result.repaired.until_us;
    result.idle.remaining = weighed.remaining();
    result.idle.reset_after = base::micros{result.repaired.until_us - now_us};
    result.decision = result.idle;
    if (cost > result.idle.remaining) {
        result.idle.allowed = false;
        result.idle.retry_after = cost > parameters.limit ? never : base::micros{weighed.fits_at_us(cost) - now_us};
        result.decision = result.idle;
        return result;
    }
    at.present += cost;
    result.next = state_of(parameters, at, now_us);
    result.decision.remaining -= cost;
    result.decision.reset_after = base::micros{result.next.until_us - now_us};
    return result;
}

bool refund_sliding_counter(sliding_counter const& parameters, counter_state& state, charge const& taken,
                            base::instant now) noexcept
{
    auto const now_us = base::since_epoch_us(now);
    if (taken.cost < 1 || now < taken.at || now_us >= state.until_us) return false;
    auto at = stored_counts(parameters, state);
    auto const charged_window = base::since_epoch_us(taken.at) / parameters.window_us;
    if (now_us / parameters.window_us > charged_window + 1) return false;
    auto* const charged = charged_window == at.window ? &at.present : charged_window + 1 == at.window ? &at.previous : nullptr;
    if (!charged || *charged == 0) return false;
    *charged = std::max<std::int64_t>(*charged - taken.cost, 0);
    state = state_of(parameters, at, now_us);
    return true;
}

} // namespace penstock::limiter
