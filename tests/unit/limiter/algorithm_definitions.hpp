// What each algorithm means, on the plain list of the permits that were admitted: no state, no shortcut. The tests compare the
// production with it.
#pragma once

#include "limiter/algorithm.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <variant>
#include <vector>

namespace penstock::limiter::tests {

struct permits {
    std::int64_t at;
    std::int64_t cost;
};
using history = std::vector<permits>;

inline std::int64_t sum_if(history const& all, std::function<bool(std::int64_t)> const& counts)
{
    std::int64_t sum = 0;
    for (auto const& each : all) sum += counts(each.at) ? each.cost : 0;
    return sum;
}

inline std::int64_t start_of(calendar const& days, std::int64_t at)
{
    std::int64_t start = 0;
    for (auto const each : days.starts) start = each <= at ? each : start;
    return start;
}

// How many permits would pass at `t` after this history, by the definition of each algorithm.
struct definition {
    history const& all;
    std::int64_t t;

    std::int64_t operator()(clock_window const& a) const
    {
        return a.limit - sum_if(all, [&](auto at) { return at / a.window_us == t / a.window_us; });
    }
    std::int64_t operator()(calendar_window const& a) const
    {
        return a.limit - sum_if(all, [&](auto at) { return start_of(*a.calendar, at) == start_of(*a.calendar, t); });
    }
    std::int64_t operator()(sliding_window const& a) const
    {
        return a.limit - sum_if(all, [&](auto at) { return at / a.segment_us > t / a.segment_us - a.segments; });
    }
    std::int64_t operator()(sliding_log const& a) const
    {
        return a.limit - sum_if(all, [&](auto at) { return at > t - a.window_us; });
    }
    std::int64_t operator()(sliding_counter const& a) const
    {
        auto const window = t / a.window_us;
        auto const present = sum_if(all, [&](auto at) { return at / a.window_us == window; });
        auto const previous = sum_if(all, [&](auto at) { return at / a.window_us == window - 1; });
        auto const left = a.window_us - t % a.window_us;
        auto const ticks_left = (left + a.tick_us - 1) / a.tick_us;
        auto const ticks = a.window_us / a.tick_us;
        auto const used = present * ticks + previous * ticks_left;
        return a.limit - (used + ticks - 1) / ticks;
    }
    std::int64_t operator()(fixed_window const& a) const
    {
        std::int64_t end = 0;
        std::int64_t used = 0;
        for (auto const& each : all) {
            if (each.at >= end) {
                end = each.at / 1000 * 1000 + a.window_us;
                used = 0;
            }
            used += each.cost;
        }
        return a.limit - (t < end ? used : 0);
    }
    std::int64_t operator()(periodic_bucket const& a) const
    {
        std::int64_t tokens = a.capacity;
        std::int64_t refill_at = 0;
        auto const refill_until = [&](std::int64_t until) {
            for (; tokens < a.capacity && refill_at <= until; refill_at += a.period_us)
                tokens = std::min(tokens + a.refill, a.capacity);
        };
        for (auto const& each : all) {
            refill_until(each.at);
            if (tokens == a.capacity) refill_at = each.at / 1000 * 1000 + a.period_us;
            tokens -= each.cost;
        }
        refill_until(t);
        return tokens;
    }
    std::int64_t operator()(token_bucket const&) const { return 0; } // see algorithm_property_test.cpp
    std::int64_t operator()(concurrency const&) const { return 0; }  // knows no time
};

class reference {
public:
    decision ask(algorithm const& how, std::int64_t cost, std::int64_t now)
    {
        set_clock(how, now);
        decision answer;
        auto const free = free_at(how, now);
        answer.allowed = cost <= std::max<std::int64_t>(free, 0) || cost == 0;
        if (!answer.allowed) answer.retry_after = cost > burst_of(how) ? never : wait_for(how, cost, now);
        if (answer.allowed && cost > 0) {
            std::erase_if(all_, [&](permits const& each) { return !counts(how, each, now); });
            all_.push_back({now, cost});
        }
        answer.remaining = std::max<std::int64_t>(free_at(how, now), 0);
        answer.reset_after = wait_for(how, burst_of(how), now);
        return answer;
    }

    void give_back(permits const& what)
    {
        auto const found = std::find_if(all_.begin(), all_.end(),
                                        [&](permits const& each) { return each.at == what.at && each.cost == what.cost; });
        if (found != all_.end()) all_.erase(found);
    }

private:
    [[nodiscard]] std::int64_t free_at(algorithm const& how, std::int64_t t) const
    {
        return std::visit(definition{all_, t}, how);
    }

    // Whether these permits make any difference from `now` on.
    [[nodiscard]] bool counts(algorithm const& how, permits const& one, std::int64_t now) const
    {
        if (std::holds_alternative<periodic_bucket>(how) || std::holds_alternative<fixed_window>(how)) return true;
        history const alone{one};
        return std::visit(definition{alone, now}, how) < burst_of(how);
    }

    // Permits of a future that is none count as taken now.
    void set_clock(algorithm const& how, std::int64_t now)
    {
        auto went_back = false;
        for (auto& each : all_) {
            went_back = went_back || each.at > now;
            each.at = std::min(each.at, now);
        }
        if (went_back) std::erase_if(all_, [&](permits const& each) { return !counts(how, each, now); });
    }

    // Nobody else comes, so what fits at one time fits ever after: the first such time, by halves.
    [[nodiscard]] base::micros wait_for(algorithm const& how, std::int64_t cost, std::int64_t now) const
    {
        std::int64_t refused = -1;
        std::int64_t fits = 4'000'000'000'000;
        while (fits - refused > 1) {
            auto const middle = (fits + refused) / 2;
            (free_at(how, now + middle) >= cost ? fits : refused) = middle;
        }
        return base::micros{fits};
    }

    history all_;
};

} // namespace penstock::limiter::tests
