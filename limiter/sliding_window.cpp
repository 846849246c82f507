#include "limiter/sliding_window.hpp"

#include <algorithm>
#include <array>
#include <cassert>

namespace penstock::limiter {
namespace {

constexpr std::int64_t millisecond = 1000;
constexpr std::int64_t most_segments = 60;
constexpr std::int64_t shortest_segment_us = 10'000;

// The window that ends now: what was charged in each of its segments, by age; the present one has age 0.
struct occupancy {
    std::array<std::int64_t, most_segments> counts{};
    std::int64_t present = 0;  // number of the segment
    std::int64_t used = 0;     // all counts
    std::int64_t youngest = 0; // age of the last one that is charged, if any is
    bool clamped = false;      // segments of the future, which a clock set back has left behind, count as the present one
};

occupancy occupancy_at(sliding_window const& of, long_state const* state, std::int64_t now_us) noexcept
{
    occupancy result;
    result.present = now_us / of.segment_us;
    result.youngest = of.segments;
    if (!state) return result;
    for (std::size_t i = 1; i < state->words.size(); ++i) {
        auto const count = state->words[i];
        auto const age = result.present - state->words[0] + static_cast<std::int64_t>(i) - 1;
        if (count == 0 || age >= of.segments) continue;
        if (age < 0) result.clamped = true;
        result.youngest = std::min(result.youngest, std::max<std::int64_t>(age, 0));
        result.counts[static_cast<std::size_t>(std::max<std::int64_t>(age, 0))] += count;
        result.used += count;
    }
    return result;
}

// When what was charged at this age leaves the window.
std::int64_t leaves_at_us(sliding_window const& of, occupancy const& at, std::int64_t age) noexcept
{
    return (at.present - age + of.segments) * of.segment_us;
}

std::int64_t fits_at_us(sliding_window const& of, occupancy const& at, std::int64_t cost) noexcept
{
    auto too_many = at.used + cost - of.limit;
    auto age = of.segments;
    while (too_many > 0) too_many -= at.counts[static_cast<std::size_t>(--age)];
    return leaves_at_us(of, at, age);
}

} // namespace

std::optional<sliding_window> make_sliding_window(std::int64_t limit, base::micros window, std::int64_t segments)
{
    if (limit < 1 || limit > largest_window_limit || segments < 2 || segments > most_segments) return std::nullopt;
    if (window.count() > longest_us || window.count() % segments != 0) return std::nullopt;
    auto const segment = window.count() / segments;
    if (segment < shortest_segment_us || segment % millisecond != 0) return std::nullopt;
    return sliding_window{limit, segment, segments};
}

advanced advance_sliding_window(sliding_window const& parameters, long_state const* state, std::int64_t cost,
                                base::instant now) noexcept
{
    assert(cost >= 0);
    auto const now_us = base::since_epoch_us(now);
    auto const at = occupancy_at(parameters, state, now_us);

    advanced result;
    result.needs_repair = at.clamped;
    result.idle.remaining = std::max<std::int64_t>(parameters.limit - at.used, 0); // a lowered limit may be overdrawn
    if (at.used > 0) result.idle.reset_after = base::micros{leaves_at_us(parameters, at, at.youngest) - now_us};
    if (cost > result.idle.remaining) {
        result.idle.allowed = false;
        result.idle.retry_after = cost > parameters.limit ? never : base::micros{fits_at_us(parameters, at, cost) - now_us};
    }
    result.decision = result.idle;
    if (!result.idle.allowed || cost == 0) return result;
    result.decision.remaining -= cost;
    result.decision.reset_after = base::micros{leaves_at_us(parameters, at, 0) - now_us};
    return result;
}

void charge_sliding_window(sliding_window const& parameters, long_state& state, std::int64_t cost, base::instant now)
{
    auto at = occupancy_at(parameters, &state, base::since_epoch_us(now));
    at.counts[0] += cost;
    if (cost > 0) at.youngest = 0;
    state.words.resize(static_cast<std::size_t>(parameters.segments) + 1);
    state.words[0] = at.present;
    std::copy_n(at.counts.begin(), parameters.segments, state.words.begin() + 1);
    state.until_us = leaves_at_us(parameters, at, at.youngest);
}

bool refund_sliding_window(sliding_window const& parameters, long_state& state, charge const& taken, base::instant now) noexcept
{
    auto const now_us = base::since_epoch_us(now);
    if (taken.cost < 1 || now < taken.at || now_us >= state.until_us || state.words.empty()) return false;
    auto const segment = base::since_epoch_us(taken.at) / parameters.segment_us;
    auto const place = state.words[0] - segment + 1;
    if (segment + parameters.segments <= now_us / parameters.segment_us) return false; // has left the window
    if (place < 1 || place >= static_cast<std::int64_t>(state.words.size())) return false;
    auto& charged = state.words[static_cast<std::size_t>(place)];
    if (charged == 0) return false;
    charged = std::max<std::int64_t>(charged - taken.cost, 0);

    auto const at = occupancy_at(parameters, &state, now_us);
    state.until_us = at.used > 0 ? leaves_at_us(parameters, at, at.youngest) : now_us;
    return true;
}

} // namespace penstock::limiter
