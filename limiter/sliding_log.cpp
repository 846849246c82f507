#include "limiter/sliding_log.hpp"

#include <algorithm>
#include <cassert>
#include <span>

namespace penstock::limiter {
namespace {

constexpr std::int64_t millisecond = 1000;

// Stamps up to here have left the window that ends now.
std::int64_t horizon(sliding_log const& of, std::int64_t now_us) noexcept { return now_us - of.window_us; }

// Those that counted after the last charge or repair.
auto counted_from(std::vector<std::int64_t>& words) noexcept { return words.begin() + 1 + words.front(); }

void set_end(sliding_log const& of, long_state& state, std::int64_t now_us) noexcept
{
    auto const any = counted_from(state.words) != state.words.end();
    state.until_us = any ? state.words.back() + of.window_us : now_us;
}

} // namespace

std::optional<sliding_log> make_sliding_log(std::int64_t limit, base::micros window)
{
    if (limit < 1 || limit > longest_log) return std::nullopt;
    if (window.count() < shortest_window_us || window.count() > longest_us) return std::nullopt;
    if (window.count() % millisecond != 0) return std::nullopt;
    return sliding_log{limit, window.count()};
}

advanced advance_sliding_log(sliding_log const& parameters, long_state const* state, std::int64_t cost,
                             base::instant now) noexcept
{
    assert(cost >= 0);
    auto const now_us = base::since_epoch_us(now);
    std::span<std::int64_t const> live;
    if (state && !state->words.empty()) {
        auto const counted = state->words.begin() + 1 + state->words.front();
        live = {std::upper_bound(counted, state->words.end(), horizon(parameters, now_us)), state->words.end()};
    }
    auto const used = static_cast<std::int64_t>(live.size());
    // A stamp of the future, left behind by a clock that was set back, counts as one of now.
    auto const leaves_after = [&](std::size_t i) {
        return base::micros{std::min(live[i], now_us) + parameters.window_us - now_us};
    };

    advanced result;
    result.needs_repair = used > 0 && live.back() > now_us;
    result.idle.remaining = std::max<std::int64_t>(parameters.limit - used, 0); // a lowered limit may be overdrawn
    if (used > 0) result.idle.reset_after = leaves_after(live.size() - 1);
    if (cost > result.idle.remaining) {
        result.idle.allowed = false;
        result.idle.retry_after =
            cost > parameters.limit ? never : leaves_after(static_cast<std::size_t>(used + cost - parameters.limit - 1));
    }
    result.decision = result.idle;
    if (!result.idle.allowed || cost == 0) return result;
    result.decision.remaining -= cost;
    result.decision.reset_after = base::micros{parameters.window_us};
    return result;
}

void charge_sliding_log(sliding_log const& parameters, long_state& state, std::int64_t cost, base::instant now)
{
    auto const now_us = base::since_epoch_us(now);
    auto& words = state.words;
    if (words.empty()) words.push_back(0);
    auto const live = std::upper_bound(counted_from(words), words.end(), horizon(parameters, now_us));
    auto const dead = live - words.begin() - 1;
    // Dropped not each time, or a long log would be moved for every permit.
    auto const full = words.capacity() - words.size() < static_cast<std::size_t>(cost);
    auto const drop = full || dead >= words.end() - live;
    if (drop) words.erase(words.begin() + 1, live);
    words.front() = drop ? 0 : dead;
    std::fill(std::upper_bound(counted_from(words), words.end(), now_us), words.end(), now_us);
    words.insert(words.end(), static_cast<std::size_t>(cost), now_us);
    set_end(parameters, state, now_us);
}

bool refund_sliding_log(sliding_log const& parameters, long_state& state, charge const& taken, base::instant now) noexcept
{
    auto const now_us = base::since_epoch_us(now);
    auto const charged_us = base::since_epoch_us(taken.at);
    if (taken.cost < 1 || now < taken.at || charged_us <= horizon(parameters, now_us)) return false;
    auto& words = state.words;
    if (words.empty()) return false;
    auto const [first, last] = std::equal_range(counted_from(words), words.end(), charged_us);
    if (first == last) return false;
    words.erase(first, first + std::min<std::ptrdiff_t>(last - first, taken.cost));
    set_end(parameters, state, now_us);
    return true;
}

} // namespace penstock::limiter
