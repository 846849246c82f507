// Limits and what was decided about them, written down in a test in one line each.
#pragma once

#include "limiter/admit.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>

namespace penstock::gateway {

constexpr base::micros seconds(double count) { return base::micros{static_cast<std::int64_t>(count * 1e6)}; }

// Owns the limits of the rulings that it makes.
class rulings {
public:
    using kind = limiter::admission_ruling::kind;

    limiter::policy& limit(std::string name, limiter::algorithm how)
    {
        auto& made = limits_.emplace_back();
        made.name = std::move(name);
        made.quota.algorithm = how;
        return made;
    }
    rulings& allowed(limiter::policy const& limit, std::int64_t remaining, base::micros reset_after)
    {
        add(limit, limiter::outcome::allowed, limiter::answerer::memory,
            {.allowed = true, .remaining = remaining, .reset_after = reset_after});
        return *this;
    }
    rulings& refused(limiter::policy const& limit, base::micros retry_after)
    {
        auto const reset_after =
            retry_after == limiter::never ? base::micros{0} : retry_after; // a full one can refuse for ever
        add(limit, limiter::outcome::refused, limiter::answerer::memory,
            {.allowed = false, .remaining = 0, .reset_after = reset_after, .retry_after = retry_after});
        gate.verdict = kind::refused;
        gate.retry_after = std::max(gate.retry_after, retry_after);
        return *this;
    }
    rulings& unanswered(limiter::policy const& limit, limiter::outcome result)
    {
        add(limit, result, limiter::answerer::nobody, {});
        if (result == limiter::outcome::unanswered_denied) gate.verdict = kind::store_unavailable;
        return *this;
    }

    limiter::admission_ruling gate;

private:
    void add(limiter::policy const& limit, limiter::outcome result, limiter::answerer by, limiter::decision const& said)
    {
        gate.rulings.push_back(
            {.policy = &limit, .numbers = &limit.quota.algorithm, .result = result, .by = by, .decision = said});
    }

    std::deque<limiter::policy> limits_;
};

inline limiter::token_bucket bucket(std::int64_t capacity, base::micros interval)
{
    return {.capacity = capacity, .interval_us = interval.count(), .interval_num = 0, .interval_den = 1};
}
inline limiter::fixed_window window(std::int64_t limit, base::micros length)
{
    return {.limit = limit, .window_us = length.count()};
}

} // namespace penstock::gateway
